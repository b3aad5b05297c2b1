-- A copy of a live database must not write to customers: only the sandbox stays.
-- Nor may it know the credentials, or take the provider's reports for the original.
UPDATE marketing_provider
   SET state = 'disabled', sendgrid_api_key = NULL, twilio_auth_token = NULL,
       sendgrid_webhook_key = NULL, webhook_token = NULL
 WHERE kind != 'sandbox';
-- Nor does it send the original's campaigns a second time, into the sandbox.
UPDATE email_campaign
   SET state = CASE state WHEN 'running' THEN 'paused' ELSE 'draft' END
 WHERE state IN ('running', 'scheduled');
