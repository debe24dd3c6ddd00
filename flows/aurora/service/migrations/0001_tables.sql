-- What Aurora knows: goods, orders, customers, notes, callbacks, and the answers already given.

CREATE TABLE products (
    sku         TEXT    PRIMARY KEY,
    name_en     TEXT    NOT NULL,
    name_zh     TEXT    NOT NULL,
    -- In fen: hundredths of a yuan.
    price_fen   INTEGER NOT NULL CHECK (price_fen > 0)
) STRICT;

-- AUTOINCREMENT: a number once given never comes back, so a caller cannot reach a stranger's order.
CREATE TABLE orders (
    order_no    INTEGER PRIMARY KEY AUTOINCREMENT,
    phone       TEXT    NOT NULL,
    sku         TEXT    NOT NULL REFERENCES products (sku),
    quantity    INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    status      TEXT    NOT NULL CHECK (status IN ('shipped', 'unpaid', 'packed', 'cancelled')),
    -- ISO 8601 date; absent until there is something to expect.
    eta         TEXT,
    total_fen   INTEGER NOT NULL CHECK (total_fen > 0),
    currency    TEXT    NOT NULL DEFAULT 'CNY'
) STRICT;

CREATE TABLE customers (
    id           TEXT    PRIMARY KEY,
    phone        TEXT    NOT NULL UNIQUE,
    tier         TEXT    NOT NULL CHECK (tier IN ('platinum', 'gold', 'standard')),
    surname_en   TEXT    NOT NULL,
    surname_zh   TEXT    NOT NULL,
    honorific_en TEXT    NOT NULL,
    honorific_zh TEXT    NOT NULL,
    open_cases   INTEGER NOT NULL DEFAULT 0 CHECK (open_cases >= 0)
) STRICT;

CREATE TABLE notes (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    phone    TEXT NOT NULL,
    text     TEXT NOT NULL,
    noted_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

CREATE TABLE callbacks (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    phone     TEXT    NOT NULL,
    priority  INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
    within_s  INTEGER NOT NULL,
    booked_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;

-- One row per Idempotency-Key, written in the transaction of the change itself.
CREATE TABLE answers (
    key         TEXT    PRIMARY KEY,
    -- SHA-256 of what was asked: the same key on another request is a client's mistake.
    fingerprint BLOB    NOT NULL,
    status      INTEGER NOT NULL,
    media_type  TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    answered_at INTEGER NOT NULL DEFAULT (unixepoch())
) STRICT, WITHOUT ROWID;
