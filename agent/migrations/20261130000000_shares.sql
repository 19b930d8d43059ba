-- How much waits for each plugin.
CREATE TABLE waiting (
    plugin TEXT    PRIMARY KEY NOT NULL,
    count  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO waiting (plugin, count, bytes)
    SELECT plugin, count(*), sum(length(sealed)) FROM observations GROUP BY plugin;

CREATE TRIGGER waiting_comes AFTER INSERT ON observations BEGIN
    INSERT INTO waiting (plugin, count, bytes) VALUES (new.plugin, 1, length(new.sealed))
    ON CONFLICT (plugin) DO UPDATE SET count = count + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER waiting_goes AFTER DELETE ON observations BEGIN
    UPDATE waiting SET count = count - 1, bytes = bytes - length(old.sealed) WHERE plugin = old.plugin;
    DELETE FROM waiting WHERE plugin = old.plugin AND count = 0;
END;
