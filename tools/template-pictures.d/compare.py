"""Small pictures to store, and whether two of them look the same."""

import io

from PIL import Image, ImageChops

# Stored at half the size, with few colours: to recognize, not to admire.
SCALE = 2
COLORS = 32
THUMBNAIL_COLORS = 128
# Compared at an eighth: the edges of letters, which differ between two machines, melt
# into the grey of their lines.
BLUR = 4
# So much one point may differ (of 255), and so many points may differ more.
POINT = 28
SHARE = 0.004
# Rows by which the heights may differ: roundings of line heights.
ROWS = 3
# Of the card in the list: the upper middle of what a desktop shows, at half the size.
THUMBNAIL = (340, 300)


def shrink(png):
    """Return a picture as it is stored.

    :param bytes png: as the browser took it
    :rtype: PIL.Image.Image
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    size = (picture.width // SCALE, picture.height // SCALE)
    return _reduce_colors(picture.resize(size, Image.Resampling.BOX))


def make_thumbnail(png):
    """Return the upper middle of a picture of a desktop, small.

    :param bytes png: as the browser took it
    :rtype: PIL.Image.Image
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    width, height = (2 * side for side in THUMBNAIL)
    left = (picture.width - width) // 2
    visible = picture.crop((left, 0, left + width, height))
    small = visible.resize(THUMBNAIL, Image.Resampling.LANCZOS)
    return _reduce_colors(small, THUMBNAIL_COLORS)


def describe_difference(stored, new):
    """Say how a picture differs from the stored one.

    :param PIL.Image.Image stored: see :func:`shrink`
    :param PIL.Image.Image new: the same
    :return: a sentence; empty where they look the same
    :rtype: str
    """
    if stored.width != new.width or abs(stored.height - new.height) > ROWS:
        return f"{_size(new)} points instead of {_size(stored)}"
    share = _get_different_share(stored, new)
    if share > SHARE:
        return f"{share:.1%} of it look different"
    return ""


def _get_different_share(stored, new):
    height = min(stored.height, new.height)
    small = (max(stored.width // BLUR, 1), max(height // BLUR, 1))
    both = [
        picture.convert("RGB")
        .crop((0, 0, picture.width, height))
        .resize(small, Image.Resampling.BOX)
        for picture in (stored, new)
    ]
    red, green, blue = ImageChops.difference(*both).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return sum(most.histogram()[POINT + 1 :]) / (small[0] * small[1])


def _reduce_colors(picture, colors=COLORS):
    return picture.quantize(colors, dither=Image.Dither.NONE)


def _size(picture):
    return f"{picture.width}×{picture.height}"
