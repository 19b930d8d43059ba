-- Where a village keeps the membership: a farmer leaves it there.
ALTER TABLE village ADD COLUMN place TEXT;
