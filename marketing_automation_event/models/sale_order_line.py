from odoo import fields, models


class SaleOrderLine(models.Model):
    """A ticket is sold by its event, not by its product: all tickets of an event may
    have one product, which need not be published and has another price."""

    _inherit = "sale.order.line"

    def _is_offered(self, product, website):
        if not self.event_ticket_id:
            return super()._is_offered(product, website)
        event, slot = self.event_id.sudo(), self.event_slot_id.sudo()
        now = fields.Datetime.now()
        return bool(
            product.active
            and event.active
            and event.is_published
            and (not event.website_id or event.website_id == website)
            and event.date_end > now
            and (not slot or slot.end_datetime > now)
            and self.event_ticket_id.sudo().sale_available
            and not self._is_sold_out()
        )

    def _is_sold_out(self):
        """Whether no seat is left: of the event, the time slot or the ticket."""
        event, slot, ticket = self.event_id, self.event_slot_id, self.event_ticket_id
        # None: no limit.
        [seats] = event.sudo()._get_seats_availability([(slot.sudo(), ticket.sudo())])
        return seats is not None and seats <= 0

    def _get_price_to_restore(self, product, pricelist):
        if self.event_ticket_id:
            return self.event_ticket_id.sudo().price
        return super()._get_price_to_restore(product, pricelist)

    def _get_customer_choice(self):
        choice = super()._get_customer_choice()
        return (*choice, self.event_ticket_id.id, self.event_slot_id.id)

    def _get_cart_options(self):
        options = super()._get_cart_options()
        if self.event_ticket_id:
            options.update(
                event_ticket_id=self.event_ticket_id.id,
                event_slot_id=self.event_slot_id.id,
            )
        return options
