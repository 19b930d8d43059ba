-- The term of the standby's lease in which this replica led last.
ALTER TABLE chain ADD COLUMN led TEXT;
