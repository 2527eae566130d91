"""Card transactions of 120 accounts over four months, a few of them fraud."""
import csv
import datetime
import io
import random

NAME = "transactions"
SEED = 20260102
ROWS = 4000
TEST_ROWS = 1000
ACCOUNTS = 120
DAYS = 120
START = datetime.datetime(2026, 1, 5)

README = """
# Card transactions

4,000 card transactions of 120 accounts over four months, 3 % of them fraud, ordered by time: `train.csv` (the first 3,000 rows) and
`test.csv` (the newest 1,000). Columns: `transaction_id`, `account`, `timestamp`, `merchant`, `category`, `amount`, `currency`, `country`,
`home_country`, `channel` (chip, contactless, online, atm), `hour`, `minutes_since_last` (on the same account; empty for its first
payment), `label` (fraud, legit). A text for an encoder is built by `data.template`, for example
`{{amount}} {{currency}} at {{merchant}} ({{category}}) in {{country}}, card from {{home_country}}, {{channel}}, {{hour}} h, {{minutes_since_last}} minutes after the last payment`.

**Synthetic.** Generated for this project by `scripts/make_data.py` (`scripts/data_sets/transactions.py`) with a fixed seed; people,
accounts and payments are invented. Licence: Apache-2.0.

How fraud comes about: an account is taken over for a few payments in a row. Most thieves first try a small sum online and then, within
minutes, spend sums that are large for the category, mostly online, abroad and at night; some clone cards and draw cash abroad. No single
column tells: honest customers travel (and pay by chip in daylight abroad), shop online at night, pay twice within minutes, and buy expensive things. 8 % of the frauds look
like honest payments and nothing else, so nobody reaches 1.

On the test rows (average precision, 0.03 for chance): 0.47 for TF-IDF (words and word pairs of that text)
with balanced logistic regression (scikit-learn, C = 10), 0.57 for logistic regression on the columns, 0.78 for a random forest on them.
"""

HOMES = {"GB": "GBP", "DE": "EUR", "FR": "EUR", "NL": "EUR", "PL": "PLN", "US": "USD"}
RATE = {"GBP": 0.85, "EUR": 1.0, "PLN": 4.3, "USD": 1.1, "BRL": 6.0, "THB": 38.0, "NGN": 1700.0, "TRY": 40.0}
ABROAD = {"ES": "EUR", "IT": "EUR", "US": "USD", "TH": "THB", "TR": "TRY", "BR": "BRL", "GB": "GBP", "PL": "PLN", "NG": "NGN"}
FRAUD_COUNTRIES = ("US", "NG", "BR", "GB", "TR", "PL", "TH")

# category: (usual amount in EUR, spread of its logarithm, share of a customer's payments, online share, merchants)
CATEGORIES = {
    "groceries": (32, 0.7, 30, 0.08, ("Fresh Corner", "Hilltop Market", "Lenz Supermarkt", "Marché Bleu", "Albina Foods", "Green Basket")),
    "restaurant": (27, 0.6, 14, 0.0, ("Trattoria Nonna", "Blue Door Cafe", "Wok & Roll", "Zum Anker", "Bistro Lune", "Taco Sol")),
    "transport": (14, 0.8, 14, 0.35, ("City Rail", "Metro Lines", "Kite Cabs", "Ferry & Co")),
    "fuel": (55, 0.35, 7, 0.0, ("Petrolia", "Nordpump", "Station 24")),
    "clothing": (48, 0.7, 7, 0.5, ("Thread & Needle", "Mode Paris", "Sole Mates", "Northway Outdoor")),
    "electronics": (130, 1.0, 6, 0.7, ("Voltlane", "Pixel & Page", "ElektroHaus", "GadgetBay")),
    "gift_cards": (34, 0.7, 4, 0.9, ("CardKiosk", "GiftHub", "PlayPoints")),
    "streaming": (11, 0.3, 8, 1.0, ("StreamBox", "Tuneful", "ReadMore")),
    "travel": (210, 0.9, 3, 0.85, ("Skyhop Air", "Hotel Meridian", "StayNest", "TrailTours")),
    "pharmacy": (17, 0.6, 6, 0.1, ("Brightside Pharmacy", "Apotheke am Markt", "Pharmacie Soleil")),
    "cash": (90, 0.5, 5, 0.0, ("ATM Central", "ATM Station Road", "ATM Airport")),
}
HOURS = [0.2, 0.1, 0.1, 0.1, 0.1, 0.3, 1, 3, 5, 4, 5, 6, 8, 6, 5, 5, 6, 8, 9, 8, 6, 4, 2, 1]
NIGHT_ONLINE = [2, 1.5, 1, 0.5, 0.3, 0.3, 1, 2, 3, 3, 3, 3, 4, 3, 3, 3, 4, 5, 6, 7, 8, 8, 6, 4]


class Account:
    def __init__(self, number, rng):
        self.name = f"A{number:04d}"
        self.home = rng.choice(list(HOMES))
        self.wealth = rng.lognormvariate(0, 0.45)
        self.online = rng.betavariate(2, 2) * 1.6
        self.activity = rng.lognormvariate(0, 0.4)
        # One account in three travels for one or two weeks.
        self.trip = None
        if rng.random() < 0.33:
            first = rng.randrange(5, DAYS - 16)
            self.trip = (first, first + rng.randrange(5, 14), rng.choice([c for c in ABROAD if c != self.home]))

    def place(self, day):
        if self.trip and self.trip[0] <= day <= self.trip[1]:
            return self.trip[2]
        return self.home


def payment(account, time, category, euros, country, channel, label, rng):
    currency = HOMES.get(country) or ABROAD[country]
    amount = max(0.5, euros) * RATE[currency]
    if category == "cash":
        amount = max(10, round(amount / 10) * 10)
    if category == "gift_cards" and rng.random() < 0.8:
        amount = max(10, round(amount / 25) * 25)
    return {"account": account.name, "time": time, "merchant": rng.choice(CATEGORIES[category][4]), "category": category,
            "amount": f"{amount:.2f}", "currency": currency, "country": country, "home_country": account.home, "channel": channel,
            "label": label}


def moment(day, weights, rng):
    hour = rng.choices(range(24), weights)[0]
    return START + datetime.timedelta(days=day, hours=hour, minutes=rng.randrange(60), seconds=rng.randrange(60))


def honest(account, day, label, rng):
    category = rng.choices(list(CATEGORIES), [c[2] for c in CATEGORIES.values()])[0]
    usual, spread, _, online_share, _ = CATEGORIES[category]
    online = rng.random() < online_share * (0.4 + account.online)
    country = account.place(day)
    if online and rng.random() < 0.9:
        country = account.home if rng.random() < 0.75 else rng.choice(list(ABROAD))
    channel = "online" if online else "atm" if category == "cash" else rng.choice(("chip", "contactless", "contactless"))
    euros = rng.lognormvariate(0, spread) * usual * account.wealth
    return payment(account, moment(day, NIGHT_ONLINE if online else HOURS, rng), category, euros, country, channel, label, rng)


def errands(account, first, rng):
    """Payments that follow an honest one within minutes: the next shop of the street, the rest of an online order."""
    rows = []
    time = first["time"]
    while rng.random() < (0.22 if first["channel"] == "online" else 0.12):
        time += datetime.timedelta(minutes=rng.randrange(1, 25), seconds=rng.randrange(60))
        category = first["category"] if rng.random() < 0.4 else rng.choice(("groceries", "clothing", "electronics", "restaurant", "gift_cards"))
        usual, spread = CATEGORIES[category][:2]
        channel = first["channel"] if first["channel"] != "atm" else "contactless"
        euros = rng.lognormvariate(0, spread) * usual * account.wealth
        rows.append(payment(account, time, category, euros, first["country"], channel, "legit", rng))
    return rows


def takeover(account, day, rng):
    """The payments of one thief."""
    kind = rng.random()
    if kind < 0.08:
        return [honest(account, day, "fraud", rng)]
    night = rng.random() < 0.65
    time = START + datetime.timedelta(days=day, hours=rng.choice((0, 1, 2, 3, 4, 23)) if night else rng.randrange(6, 22), minutes=rng.randrange(60))
    country = rng.choice([c for c in FRAUD_COUNTRIES if c != account.home]) if rng.random() < 0.7 else account.home
    rows = []
    cash = kind < 0.25
    if not cash and rng.random() < 0.7:
        category = rng.choice(("streaming", "gift_cards", "transport", "electronics"))
        rows.append(payment(account, time, category, rng.uniform(0.5, 4), country, "online", "fraud", rng))
    for _ in range(rng.randrange(1, 4)):
        time += datetime.timedelta(minutes=rng.randrange(1, 25), seconds=rng.randrange(60))
        category = "cash" if cash else rng.choice(("electronics", "electronics", "gift_cards", "gift_cards", "clothing", "travel", "groceries"))
        usual, spread = CATEGORIES[category][:2]
        euros = usual * rng.uniform(1.3, 5) * (1.5 if category == "groceries" else 1)
        rows.append(payment(account, time, category, euros, country, "atm" if cash else "online", "fraud", rng))
    return rows


def simulate(rng):
    accounts = [Account(i + 1, rng) for i in range(ACCOUNTS)]
    frauds = []
    # Spread over the whole time, so that train and test rows get the same share.
    for part in range(10):
        count = 0
        while count < ROWS * 0.003:
            day = rng.randrange(part * DAYS // 10, (part + 1) * DAYS // 10)
            rows = takeover(rng.choice(accounts), day, rng)[: int(ROWS * 0.003) - count]
            count += len(rows)
            frauds += rows
    rows = list(frauds)
    while len(rows) < ROWS:
        account = rng.choices(accounts, [a.activity for a in accounts])[0]
        first = honest(account, rng.randrange(DAYS), "legit", rng)
        rows += [first] + errands(account, first, rng)
    return sorted(rows[:ROWS], key=lambda row: (row["time"], row["account"]))


COLUMNS = ("transaction_id", "account", "timestamp", "merchant", "category", "amount", "currency", "country", "home_country", "channel", "hour",
           "minutes_since_last", "label")


def table(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def files():
    rows = simulate(random.Random(SEED))
    last = {}
    for number, row in enumerate(rows, 1):
        row["transaction_id"] = f"T{number:05d}"
        row["timestamp"] = row["time"].strftime("%Y-%m-%dT%H:%M:%S")
        row["hour"] = row["time"].hour
        before = last.get(row["account"])
        row["minutes_since_last"] = "" if before is None else int((row["time"] - before).total_seconds() // 60)
        last[row["account"]] = row["time"]
    return {"train.csv": table(rows[:-TEST_ROWS]), "test.csv": table(rows[-TEST_ROWS:])}
