-- A copy of a live database must not write to customers: only the sandbox stays.
UPDATE marketing_provider SET state = 'disabled' WHERE kind != 'sandbox';
