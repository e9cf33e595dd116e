-- How much of its place a statement about coverage is about has a column of its own. It stood in the words of the reason, and in places that no
-- host and no page has: port 0 was a host without its services, and an address that ends in `#` a page without its site.

ALTER TABLE coverage ADD COLUMN extent TEXT NOT NULL DEFAULT '{"kind":"untold"}';
UPDATE coverage SET extent = '{"kind":"closed","ports":"' || SUBSTR(reason, 14) || '"}', reason = NULL
    WHERE reason LIKE 'closed ports %' AND RTRIM(SUBSTR(reason, 14), '0123456789,-') = '';
UPDATE coverage SET extent = '{"kind":"ports","ports":"' || SUBSTR(reason, 7) || '"}', reason = NULL
    WHERE reason LIKE 'ports %' AND RTRIM(SUBSTR(reason, 7), '0123456789,-') = '';
UPDATE coverage SET extent = '{"kind":"itself"}', location = REPLACE(location, '"port":0,', '"port":null,') WHERE location LIKE '%"port":0,%';
UPDATE coverage SET extent = '{"kind":"itself"}', location = REPLACE(location, '/#","method"', '/","method"') WHERE location LIKE '%/#","method"%';
