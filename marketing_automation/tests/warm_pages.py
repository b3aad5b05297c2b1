"""What Odoo has compiled of its pages, kept from one test of a class to the next.

Odoo forgets after every test what it has learned of templates, bundles and routes: the
test may have changed them. Most do not, and to compile the pages of a shop again takes
longer than the rest of a test that opens one.
"""

from unittest.mock import patch

KEPT = ("assets", "routing", "templates")
# Who forgets one of these may have changed a page.
CHANGES = {*KEPT, "groups", "stable"}


def keep_pages_warm(case):
    """Begin a test with what the tests before it in its class have compiled.

    To be called at the end of ``setUp``'s inherited part. What a test compiles after it
    has changed templates, bundles or routes is not kept.

    :param case: the test, with a web server
    """
    registry, cls = case.registry, type(case)
    caches = registry._Registry__caches
    changed = []

    def forget(*names):
        if CHANGES.intersection(names):
            changed.append(names)
        return odoos_clear_cache(*names)

    def forget_all():
        changed.append("everything")
        return odoos_clear_all_caches()

    def keep():
        if not changed:
            cls.warm_pages = {name: dict(caches[name].items()) for name in KEPT}

    odoos_clear_cache = registry.clear_cache
    odoos_clear_all_caches = registry.clear_all_caches
    if "warm_pages" in cls.__dict__:
        for name, entries in cls.warm_pages.items():
            for key, value in entries.items():
                caches[name][key] = value
    else:
        cls.addClassCleanup(lambda: delattr(cls, "warm_pages"))
        cls.warm_pages = {}
    case.startPatcher(patch.object(registry, "clear_cache", forget))
    case.startPatcher(patch.object(registry, "clear_all_caches", forget_all))
    # Before Odoo forgets everything: the last to be added comes first.
    case.addCleanup(keep)
