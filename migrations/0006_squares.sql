-- Households counted in squares of the map, so that a tile is read without reading households.

-- The finest square of a place: the Web Mercator world is 2¹⁶ of them across, numbered along a Z-curve (the bits of column and row take
-- turns), so that a square of any size, and every tile, is one stretch of numbers, and two bits fewer name the square twice as wide.
CREATE FUNCTION relief_square(lon double precision, lat double precision) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    x bigint := least(greatest(floor((lon + 180) / 360 * 65536), 0), 65535);
    y bigint := least(greatest(floor((1 - asinh(tan(radians(lat))) / pi()) / 2 * 65536), 0), 65535);
BEGIN
    x := (x | (x << 8)) & 16711935;
    x := (x | (x << 4)) & 252645135;
    x := (x | (x << 2)) & 858993459;
    x := (x | (x << 1)) & 1431655765;
    y := (y | (y << 8)) & 16711935;
    y := (y | (y << 4)) & 252645135;
    y := (y | (y << 2)) & 858993459;
    y := (y | (y << 1)) & 1431655765;
    RETURN x | (y << 1);
END $$;

-- What came and went: written with the household, in its transaction, a row of its own, so that nobody waits for anybody.
CREATE TABLE square_change (
    county      text NOT NULL,
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    incident    uuid NOT NULL,
    square      bigint NOT NULL,             -- the finest
    village     text NOT NULL,               -- 12 digits: whoever may see only a part of a square sees only that part counted
    households  integer NOT NULL,            -- negative where some went
    people      integer NOT NULL,
    made_up     integer NOT NULL,            -- households at synthetic places
    PRIMARY KEY (county, id)
);
CREATE INDEX square_change_tile ON square_change (incident, square);

-- The same added up, at three sizes. A tile is one stretch of the changes and of one size, read in one statement.
CREATE TABLE square (
    county      text NOT NULL,
    incident    uuid NOT NULL,
    level       smallint NOT NULL CHECK (level IN (10, 13, 16)),   -- 2^level squares across the world
    square      bigint NOT NULL,
    area        text NOT NULL,               -- the village; of the largest squares the township, as a province of them is one tile
    households  integer NOT NULL,
    people      integer NOT NULL,
    made_up     integer NOT NULL,
    PRIMARY KEY (county, incident, level, square, area)
) WITH (fillfactor = 80);
CREATE INDEX square_tile ON square (incident, level, square);

INSERT INTO square (county, incident, level, square, area, households, people, made_up)
SELECT h.county, h.incident, l.level, relief_square(h.lon, h.lat) >> 2 * (16 - l.level), left(h.village, l.digits), count(*), sum(h.members),
       count(*) FILTER (WHERE h.synthetic_point)
FROM household h CROSS JOIN (VALUES (10, 9), (13, 12), (16, 12)) AS l (level, digits)
WHERE h.status NOT IN ('duplicate', 'rejected') GROUP BY 1, 2, 3, 4, 5;

GRANT SELECT, INSERT ON square, square_change TO relief_app;
GRANT UPDATE (households, people, made_up) ON square TO relief_app;
GRANT DELETE ON square_change TO relief_app;   -- once it is added up

DO $$ DECLARE t text; BEGIN
    FOREACH t IN ARRAY ARRAY['square', 'square_change'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY area ON %I USING (county LIKE ANY ((SELECT relief_scope())::text[]))', t);
    END LOOP;
END $$;
