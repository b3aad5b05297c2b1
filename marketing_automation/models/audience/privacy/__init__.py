# What is stored about a person: all of it, handed out, forgotten, kept for how long.
# Loaded last: it knows every table of the others, and none of them knows it.
from . import person
from . import (
    contacts,
    export,
    forget,
    forgotten_contact,
    late_reports,
    look_up,
    outside,
    periods,
    report,
    retention,
)
