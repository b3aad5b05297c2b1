# What is stored about a person: all of it, handed out, forgotten, kept for how long.
# Loaded last: it knows every table of the others, and none of them knows it.
from . import (
    periods,
    person,
    outside,
    contacts,
    forget,
    export,
    report,
    late_reports,
    retention,
)
