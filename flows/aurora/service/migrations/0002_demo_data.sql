-- The demo tenant's first morning. Runs once, when the database is new.

INSERT INTO products (sku, name_en, name_zh, price_fen) VALUES
    ('aurora-lamp',   'Aurora lamp',   '极光灯',   19900),
    ('aurora-mini',   'Aurora mini',   '极光小灯',  9900),
    ('aurora-sunset', 'Sunset lamp',   '落日灯',   25950);

INSERT INTO orders (order_no, phone, sku, quantity, status, eta, total_fen) VALUES
    (20260302, '+8613800138000', 'aurora-lamp',   1, 'shipped',   '2026-03-05', 19900),
    (20260303, '+8613800138000', 'aurora-mini',   1, 'unpaid',    NULL,          9900),
    (20260304, '+8613900139000', 'aurora-sunset', 2, 'packed',    '2026-03-09', 51900),
    (20260305, '+8613700137000', 'aurora-lamp',   2, 'cancelled', NULL,         39800);

INSERT INTO customers (id, phone, tier, surname_en, surname_zh, honorific_en, honorific_zh, open_cases) VALUES
    ('c-42', '+8613800138000', 'platinum', 'Wang',  '王', 'Ms', '女士', 0),
    ('c-43', '+8613900139000', 'gold',     'Li',    '李', 'Mr', '先生', 1),
    ('c-44', '+8613600136000', 'gold',     'Zhang', '张', 'Ms', '女士', 0),
    ('c-45', '+8613700137000', 'standard', 'Chen',  '陈', 'Mr', '先生', 0);
