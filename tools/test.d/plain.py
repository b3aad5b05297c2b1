"""Run tests of the addon that need no database, without one.

    plain.py LOG TAGS

TAGS as Odoo's --test-tags has them. They run as Odoo runs them, with Odoo's cases and
results, and the log is written as Odoo writes it. Exit status 1 if one fails.
"""

import logging
import sys

import odoo.cli  # noqa: F401 - loads the addons paths
from odoo.netsvc import init_logger
from odoo.tests import loader
from odoo.tests.tag_selector import TagsSelector
from odoo.tools import config

ADDON = "marketing_automation"


def main(log, tags):
    """Run the tests.

    :param str log: path of the log
    :param str tags: which tests
    :return: exit status
    :rtype: int
    """
    config.parse_config(
        ["--logfile", log, "--log-handler", "odoo.tests.stats:DEBUG"],
        setup_logging=False,
    )
    init_logger()
    logger = logging.getLogger("odoo.tests")
    selector = TagsSelector(tags)
    tests = [
        test
        for module in loader.get_test_modules(ADDON)
        for test in loader.get_module_test_cases(module)
        if selector.check(test)
    ]
    result = loader.run_suite(loader.OdooSuite(tests))
    result.log_stats()
    logger.info("%s", result)
    return int(not result.wasSuccessful())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
