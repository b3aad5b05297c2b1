"""What the checks of a message say, in words."""

from odoo import models


class MarketingTemplate(models.Model):
    _inherit = "marketing.template"

    def _describe_finding(self, finding):
        """Return a finding in the language of the environment.

        :param content_checks.Finding finding: what was found
        :return: one or two sentences: what it is, what to do
        :rtype: str
        """
        values = finding.values
        if finding.key == "spam":
            values = {**values, "reason": self._describe_spam(values["reason"])}
        words = self._get_check_words()[finding.key, finding.level]
        return words % values if values else words

    def _get_check_words(self):
        return {
            **self._get_law_words(),
            **self._get_link_words(),
            **self._get_picture_words(),
            **self._get_subject_words(),
            **self._get_text_words(),
        }

    def _get_law_words(self):
        env = self.env
        return {
            ("unsubscribe", "ok"): env._("It can be unsubscribed from."),
            ("unsubscribe", "must"): env._(
                "There is no link to unsubscribe. Insert the footer at the end."
            ),
            ("address", "ok"): env._("It says who is writing, with a postal address."),
            ("address", "must"): env._(
                "It does not say who is writing, with a postal address. Insert the "
                "footer at the end."
            ),
            ("stop", "ok"): env._("It says how to get no more."),
            ("stop", "advice"): env._(
                "It does not say how to get no more. “Reply STOP to end” will do."
            ),
            ("size", "ok"): env._("%(kilobytes)s KB: small enough for every inbox."),
            ("size", "advice"): env._(
                "%(kilobytes)s KB is a lot: from %(most)s KB on, Gmail cuts an email "
                "off."
            ),
            ("size", "must"): env._(
                "%(kilobytes)s KB is too much: Gmail cuts off what exceeds %(most)s "
                "KB, and the link to unsubscribe with it. Say less, or leave out "
                "pasted formatting."
            ),
            ("segments", "ok"): env._("Billed as %(count)s text message(s)."),
            ("segments", "advice"): env._(
                "It is billed as %(count)s text messages. Shorten it."
            ),
        }

    def _get_link_words(self):
        env = self.env
        return {
            ("links", "ok"): env._("%(count)s link(s), all of them lead somewhere."),
            ("dead_link", "must"): env._(
                "%(link)s leads nowhere: your shop has no such page. Was it renamed or "
                "unpublished?"
            ),
            ("relative_link", "must"): env._(
                "The link to %(link)s works in your shop only, not in an email. Put "
                "{{ shop.url }} in front."
            ),
            ("empty_link", "advice"): env._("%(count)s link(s) have no address."),
        }

    def _get_picture_words(self):
        env = self.env
        return {
            ("images", "ok"): env._("%(count)s picture(s), all of them described."),
            ("alt", "advice"): env._(
                "%(count)s picture(s) are not described (%(link)s). Many inboxes hide "
                'pictures at first, and some people cannot see them: add alt="…".'
            ),
            ("only_images", "advice"): env._(
                "It consists of pictures almost alone. Write in words what matters: "
                "pictures are hidden at first, and spam filters dislike it."
            ),
            ("relative_image", "must"): env._(
                "The picture %(link)s is found in your shop only, not in an email. Put "
                "{{ shop.url }} in front."
            ),
            ("dark", "ok"): env._("Its colours can be read in dark inboxes, too."),
            ("dark_text", "advice"): env._(
                "Text in %(color)s has no background of its own: in a dark (or a "
                "light) inbox it cannot be read. Give it a background, or no colour."
            ),
            ("dark_ground", "advice"): env._(
                "On the background %(color)s, the text has no colour of its own: in a "
                "dark inbox it becomes light as well. Name both colours."
            ),
        }

    def _get_subject_words(self):
        env = self.env
        return {
            ("subject", "ok"): env._("The subject has %(count)s characters."),
            ("long_subject", "advice"): env._(
                "The subject has %(count)s characters. Inboxes show %(most)s at most, "
                "telephones 40: begin with what matters."
            ),
            ("fake_reply", "advice"): env._(
                "The subject looks like a reply, which it is not. Spam filters know "
                "that trick, and laws forbid misleading subjects."
            ),
            ("shouting", "advice"): env._("The subject is in capitals: it shouts."),
            ("preheader", "ok"): env._("The preview line adds to the subject."),
            ("no_preheader", "advice"): env._(
                "There is no preview line. Inboxes show the first words of the email "
                "in its place."
            ),
            ("same_preheader", "advice"): env._(
                "The preview line repeats the subject. Say something more."
            ),
            ("long_preheader", "advice"): env._(
                "The preview line has %(count)s characters. Inboxes show %(most)s at "
                "most."
            ),
        }

    def _get_text_words(self):
        env = self.env
        return {
            ("wording", "ok"): env._("Nothing in it sounds like spam."),
            ("exclamation", "advice"): env._(
                "Many exclamation marks look like spam. One is enough."
            ),
            ("spam", "advice"): env._(
                "“%(phrase)s” is often read in spam: %(reason)s."
            ),
        }

    def _describe_spam(self, reason):
        env = self.env
        return {
            "money": env._("it promises money for nothing"),
            "pressure": env._("it presses for a decision"),
            "prize": env._("it speaks of a prize"),
            "denial": env._("it says that it is none"),
            "miracle": env._("it promises a miracle"),
            "click": env._("say where the link leads instead"),
        }[reason]
