"""Sentences from support mails, word by word with the names, companies, sums and dates in them."""
import random
import re

from .grammar import expand, jsonl

NAME = "entities"
SEED = 20260104
ROWS = {"train": 320, "validation": 50, "test": 80}

README = """
# Entities in support mails

450 passages from mails to an imaginary bank, split into words: `train.jsonl` (320 rows), `validation.jsonl` (50), `test.jsonl` (80).
Columns: `tokens` (words) and `ner_tags` (one a word, BIO scheme): PERSON, ORG, AMOUNT, DATE, and O.

**Synthetic.** Written for this project: `scripts/make_data.py` fills a phrase grammar (`scripts/data_sets/entities.py`) with a fixed seed;
people and companies are invented. Licence: Apache-2.0.

What makes it less easy than it looks: companies that are called like people (Morgan & Hale, Ada Brook Ltd), people that are called like
months (April Summers, Mr May), numbers that are neither sums nor dates (order and account numbers, house numbers), sums in words, and a
third of the names in the test file that no training row has.
"""

FIRST = ["Ann", "Tomasz", "Priya", "April", "June", "Lukas", "Fatima", "Owen", "Chiara", "Noah", "Mai", "Grace", "Yusuf", "Elena", "Hugo", "Ingrid",
         "Dele", "Rosa", "Victor", "Sanne"]
LAST = ["Brook", "Kowalski", "Sharma", "Summers", "May", "Weber", "Rahman", "Price", "Conti", "Berg", "Okafor", "Hale", "Santos", "de Vries", "Lindqvist",
        "O'Neill", "Marsh", "Nguyen", "Bell", "Penny"]
UNSEEN_FIRST = ["Mateo", "Zofia", "August", "Leila", "Pearl", "Emeka", "Freya"]
UNSEEN_LAST = ["March", "Haddad", "Novak", "Sterling", "van Dam", "Achebe", "Frost"]
ORGS = ["Northway Outdoor", "Morgan & Hale", "StreamBox", "Voltlane", "Ada Brook Ltd", "Hilltop Market", "Skyhop Air", "Brightside Pharmacy", "City Rail",
        "Pixel & Page", "StayNest", "Price & Sons", "Meridian Energy", "June Flowers", "Kite Cabs"]
UNSEEN_ORGS = ["Frost & Novak", "Bluefin Telecom", "Sterling Gardens", "Tuneful", "Leila Bakery", "Harbour Insurance"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


def mark(kind, text):
    return " ".join(f"{word}/{kind}" for word in text.split(" "))


def sum_of_money(rng):
    value = rng.choice((rng.uniform(3, 90), rng.uniform(90, 2400)))
    return rng.choice((f"£ {value:.2f}", f"{int(value)} euros", f"€ {int(value)}", f"EUR {value:.2f}", f"{int(value)} pounds", "two hundred euros", "fifty pounds",
                       f"{int(value) // 10 * 10 + 10} quid", f"{value:,.2f} GBP"))


def date(rng):
    day, month = rng.randrange(1, 29), rng.choice(MONTHS)
    return rng.choice((f"{day} {month}", f"{month} {day}", f"{day} {month} 2026", f"{day:02d}.{MONTHS.index(month) + 1:02d}.2026",
                       f"2026-{MONTHS.index(month) + 1:02d}-{day:02d}", f"the {max(4, min(20, day))}th", f"the {max(4, min(20, day))}th of {month}"))


def past(rng):
    return mark("DATE", rng.choice(("last Tuesday", "yesterday", "last week"))) if rng.random() < 0.25 else "on " + mark("DATE", date(rng))


def deadline(rng):
    return mark("DATE", rng.choice(("next Friday", "tomorrow", f"the end of {rng.choice(MONTHS)}")) if rng.random() < 0.3 else date(rng))


def vocabulary(unseen):
    """Slots whose words carry their kind behind a slash; `unseen` is the chance of a name that training rows lack."""
    def person(rng):
        first = rng.choice(UNSEEN_FIRST if rng.random() < unseen else FIRST)
        last = rng.choice(UNSEEN_LAST if rng.random() < unseen else LAST)
        return mark("PERSON", rng.choice((f"{first} {last}", f"{first} {last}", first, f"{first[0]}. {last}")))

    def titled(rng):
        return rng.choice(("Mr", "Ms", "Dr", "Mrs")) + " " + mark("PERSON", rng.choice(UNSEEN_LAST if rng.random() < unseen else LAST))

    return {
        "person": person,
        "titled": titled,
        "org": lambda rng: mark("ORG", rng.choice(UNSEEN_ORGS if rng.random() < unseen else ORGS)),
        "amount": lambda rng: mark("AMOUNT", sum_of_money(rng)),
        "date": lambda rng: mark("DATE", date(rng)),
        "past": past,
        "deadline": deadline,
        "number": lambda rng: str(rng.randrange(1000, 999999)),
        "small": lambda rng: str(rng.randrange(2, 40)),
    }


SENTENCES = [
    "{past} {org} [took|debited|charged] {amount} from my account [although I had cancelled|without asking| twice]",
    "My name is {person} and I [write|am writing] about [order|invoice|case] {number}",
    "{person} from {org} told me {past} that the [money|refund] would be here by {deadline}",
    "Please transfer {amount} to {person} before {deadline}",
    "I paid {amount} to {org} {past} and [nothing came|the parcel never arrived|they deny it]",
    "[According to|So says] {titled}, the fee of {amount} [should have been|will be] waived",
    "I spoke to {titled} {past} about reference {number}",
    "My landlord {person} did not receive the rent of {amount} due on {date}",
    "{org} confirmed in writing that {amount} went back to me {past}",
    "Since {date} I have been waiting for an answer from {titled}",
    "We are {small} people in the household and only {person} may use the card",
    "The standing order to {org} over {amount} has to end by {deadline}",
    "May I ask whether {person} has [already|ever] been in touch",
    "Then {org} wanted another {amount}, which I find hard to believe",
    "Could {person} call me at extension {small} before {deadline}",
    "There are {small} bookings from {org} and only one of {amount} is mine",
    "I moved to 14 Mill Lane {past}, please tell {org} too",
    "The cheque for {amount} was signed by {person} [and|but not by] {person}",
    "I work for {org} and my salary of {amount} [is late|came {past}]",
    "Will you march through all my papers again, or is the letter from {date} enough",
    "{person} and I share account {number}, opened {past}",
    "The hotel charged {amount} per night and {org} added {amount} on top",
    "Your branch closes at 5 and I can only come on {date}",
]
CLOSINGS = ["Kind regards, {person}", "Yours, {person}", "Best wishes {person}", "Thank you, {person}", "{person} ( on behalf of {org} )"]


def tagged(text):
    """Words and BIO tags of a text whose words carry their kind behind a slash."""
    words, tags, previous = [], [], None
    for piece in re.sub(r"(?<!\d)([,?!:()])|([,?!:])(?!\d)", r" \1\2 ", text).split():
        word, _, kind = piece.rpartition("/") if re.search(r"/(PERSON|ORG|AMOUNT|DATE)\.?$", piece) else (piece, "", "O")
        stop = kind.endswith(".") or (kind == "O" and len(word) > 2 and word.endswith("."))
        kind, word = kind.rstrip("."), word[:-1] if kind == "O" and stop else word
        words.append(word)
        tags.append("O" if kind == "O" else f"{'I' if previous == kind else 'B'}-{kind}")
        previous = kind if kind != "O" else None
        if stop:
            words.append(".")
            tags.append("O")
            previous = None
    return {"tokens": words, "ner_tags": tags}


def passage(rng, slots):
    sentences = rng.sample(SENTENCES, rng.choice((1, 1, 2)))
    text = " ".join(expand(sentence, rng, slots) + "." for sentence in sentences)
    text = re.sub(r"(^|\. )on ", lambda match: match.group(1) + "On ", text)
    text = text[0].upper() + text[1:]
    if rng.random() < 0.3:
        text += " " + expand(rng.choice(CLOSINGS), rng, slots)
    if rng.random() < 0.12:
        text = re.sub(r"\w+(?=/(?:PERSON|ORG))", lambda match: match.group().lower(), text)
    return tagged(text)


def files():
    rng = random.Random(SEED)
    seen, parts = set(), {}
    for part, count in ROWS.items():
        slots = vocabulary(0.0 if part == "train" else 0.33)
        rows = []
        while len(rows) < count:
            row = passage(rng, slots)
            key = " ".join(row["tokens"]).lower()
            if key not in seen:
                seen.add(key)
                rows.append(row)
        parts[f"{part}.jsonl"] = jsonl(rows)
    return parts
