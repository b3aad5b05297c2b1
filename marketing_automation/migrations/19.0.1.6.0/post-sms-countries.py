"""Shops go on writing to the countries they sell to."""


def migrate(cr, version):
    cr.execute(
        """INSERT INTO marketing_sms_country_rel (res_company_id, res_country_id)
           SELECT so.company_id, p.country_id
             FROM sale_order so JOIN res_partner p ON p.id = so.partner_id
            WHERE so.state = 'sale' AND so.website_id IS NOT NULL
              AND p.country_id IS NOT NULL
            UNION
           SELECT c.id, p.country_id
             FROM res_company c JOIN res_partner p ON p.id = c.partner_id
            WHERE p.country_id IS NOT NULL
               ON CONFLICT DO NOTHING"""
    )
