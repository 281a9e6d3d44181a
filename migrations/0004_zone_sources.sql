-- The file a zone version was made from, as received, and what was mended in it: both geometries stay. Zone files describe places, not people.

CREATE TABLE zone_source (
    zone      uuid PRIMARY KEY REFERENCES zone (id),
    name      text NOT NULL,              -- as the person called it
    format    text NOT NULL,              -- 'GeoJSON', 'KML', 'Shapefile' …
    crs       text NOT NULL,              -- as declared; the bands are EPSG:4490
    options   jsonb NOT NULL,             -- what the person said about it: shift, bands, distance, repair
    warnings  jsonb NOT NULL,             -- what was accepted but should be known
    alert     jsonb,                      -- of a CAP message: identifier, sender, status, references
    content   bytea NOT NULL,             -- zone.source_digest is its SHA-256
    repaired  boolean NOT NULL
);

CREATE TABLE zone_repair (
    zone             uuid NOT NULL REFERENCES zone_source (zone),
    number           integer NOT NULL,
    code             text NOT NULL,       -- what was wrong: 'self_crossing' …
    lon              double precision,    -- where
    lat              double precision,
    geometry_before  bytea NOT NULL,      -- WKB as drawn, EPSG:4490; not valid
    area_before_km2  double precision NOT NULL,
    area_after_km2   double precision NOT NULL,
    PRIMARY KEY (zone, number)
);

GRANT SELECT, INSERT ON zone_source, zone_repair TO relief_app;
