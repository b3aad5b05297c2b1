"""On which ways people are written to."""

CHANNELS = [("email", "Email"), ("sms", "SMS")]
