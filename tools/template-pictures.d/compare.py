"""Small pictures to store, and whether two of them look the same."""

from PIL import Image, ImageChops

# Stored at half the size, with few colours: to recognize, not to admire.
SCALE = 2
COLORS = 32
THUMBNAIL_COLORS = 128
# Compared at an eighth: the edges of letters, which differ between two machines, melt
# into the grey of their lines.
BLUR = 4
# So much one point may differ (of 255), and so many points may differ more. With the
# same fonts the same browser draws the same points. Letters that begin on whole points
# only, the most that another browser may do, make 0.26 %; what anybody would notice
# makes more than 0.3 % (tests/test_template_pictures.py has a list).
POINT = 16
SHARE = 0.003
# Rows by which the heights may differ.
ROWS = 1
# Of the card in the list: the upper middle of what a desktop shows, at half the size.
THUMBNAIL = (340, 300)


def shrink(picture):
    """Return a picture as it is stored.

    :param PIL.Image.Image picture: as the browser took it, RGB
    :rtype: PIL.Image.Image
    """
    width, height = (side // SCALE * SCALE for side in picture.size)
    return _reduce_colors(picture.reduce(SCALE, (0, 0, width, height)))


def make_thumbnail(picture):
    """Return the upper middle of a picture of a desktop, small.

    :param PIL.Image.Image picture: as the browser took it, RGB
    :rtype: PIL.Image.Image
    """
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
