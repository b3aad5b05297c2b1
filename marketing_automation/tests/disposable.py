"""Databases that tests may destroy."""

# In the comment of a database that was made for tests: see `tools/odoo-db`. Neither a
# copy nor a restored dump of another database has it.
MARK = "for tests: what is in it may be destroyed"


def get_refusal(cr):
    """Return why nothing must be committed by tests in a database.

    :param cr: cursor
    :return: a sentence; None if it was made for tests
    :rtype: str | None
    """
    cr.execute(
        """SELECT current_database(), shobj_description(oid, 'pg_database')
             FROM pg_database WHERE datname = current_database()"""
    )
    name, comment = cr.fetchone()
    if MARK in (comment or ""):
        return None
    return (
        f"The database {name} was not made for tests, and this commits and deletes"
        " rows: nothing was done. To make one:"
        " tools/odoo-db fresh NAME demo --for-tests"
    )
