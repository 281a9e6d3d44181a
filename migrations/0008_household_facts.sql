-- What rules beyond earthquake and rebuilding ask of a household. Nothing said before these columns came means none of it.

ALTER TABLE household
    ADD COLUMN circumstances   integer NOT NULL DEFAULT 0 CHECK (circumstances >= 0), -- bit n: the n-th word of CIRCUMSTANCES in domain/household.py
    ADD COLUMN people_in_need  integer NOT NULL DEFAULT 0 CHECK (people_in_need BETWEEN 0 AND 30),  -- 需救助人口
    ADD COLUMN home_county     text CHECK (home_county ~ '^[0-9]{6}$');               -- 户籍地, where it was told; it is notified, aid is given here
