-- What a purchase adds to the coins of each category, as JSON; null where the ledger does not say.
ALTER TABLE purchase ADD COLUMN boosts_bp TEXT COLLATE "C";
