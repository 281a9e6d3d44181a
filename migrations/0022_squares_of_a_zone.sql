-- One more size of squares. A tile of seven zooms in shows a zone as a whole; made of the next finer size it read 50,000 rows of 1,000,000
-- households, of its own size a twentieth.
SELECT set_config('relief.scope', '%', true);

ALTER TABLE square DROP CONSTRAINT square_level_check;
ALTER TABLE square ADD CONSTRAINT square_level_check CHECK (level IN (10, 11, 13, 16));

INSERT INTO square (county, incident, level, square, area, households, people, made_up)
SELECT county, incident, 11, square >> 4, left(area, 9), sum(households), sum(people), sum(made_up)
FROM square WHERE level = 13 GROUP BY 1, 2, 4, 5;
