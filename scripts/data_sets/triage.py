"""Triage notes of an emergency department, two to four a patient, with what became of the visit."""
import datetime
import random

from .grammar import expand, jsonl, with_typo
from .triage_phrases import CHRONIC, COMPLAINTS, GENERAL, NEGATIONS, OPENERS, PAST, SLOTS

NAME = "triage"
SEED = 20260103
PATIENTS = 320
TEST_PATIENTS = 64
OUTCOMES = ("discharge", "observation", "admission", "intensive_care")

README = """
# Clinical triage notes

877 triage notes of 320 patients (2 to 4 visits each): `train.jsonl` and `test.jsonl` (the last 64 patients; no patient is in
both). Columns: `note`, `outcome` (discharge, observation, admission, intensive_care), `patient` (the group), `visit_date`.
Hold out by `patient`: `"columns": {"text": "note", "label": "outcome", "group": "patient"}`.

**Synthetic.** Written for this project: `scripts/make_data.py` composes the notes from a phrase grammar
(`scripts/data_sets/triage_phrases.py`) with a fixed seed. No patient exists, and nothing here is medical advice or fit for any use on
people. Licence: Apache-2.0.

How the outcome comes about: the findings that are present, age and chronic illness add up to a severity, which the vital signs follow
loosely; some chance (bed shortage, caution) is added. The same findings are written down whether they are there, denied, gone, or a relative's worry
("denies chest pain", "SOB now settled"), so that the words alone do not tell. Abbreviations as in such notes: c/o, SOB, CP, N/V, LOC, hx, pt.

Accuracy on the test rows: 0.476 for TF-IDF (words and word pairs) with logistic regression (scikit-learn, C = 10); 0.337 for the most
frequent outcome; about 0.84 for whoever knows the rule and not the chance.
"""


class Patient:
    def __init__(self, number, rng):
        self.name = f"P{number:03d}"
        self.sex = rng.choice("FM")
        self.age = min(94, max(17, int(rng.gauss(52, 21))))
        self.chronic = rng.sample(list(CHRONIC), rng.choices((0, 1, 2, 3), (3, 3, 2, 1))[0] if self.age > 35 else rng.choice((0, 0, 0, 1)))


def vitals(strain, rng):
    """Vital signs under a strain of 0 (well) to 3 (shock)."""
    pulse = int(rng.gauss(78 + 14 * strain, 8))
    systolic = int(rng.gauss(132 - 12 * max(0, strain - 0.7), 11))
    breaths = int(rng.gauss(15.5 + 3.2 * strain, 1.6))
    oxygen = min(100, int(rng.gauss(98 - 2.3 * max(0, strain - 0.4), 1.1)))
    parts = [f"HR {pulse}", f"BP {systolic}/{int(systolic * rng.uniform(0.54, 0.66))}", f"RR {breaths}",
             f"[SpO2|sats] {oxygen}% [RA|on air]"]
    if rng.random() < 0.25:
        parts.pop(rng.randrange(len(parts)))
    rng.shuffle(parts)
    if rng.random() < 0.3:
        return "[obs normal|vitals WNL|obs unremarkable]" if strain < 0.6 else (
            "[obs borderline|mildly tachycardic, obs otherwise ok]" if strain < 1.5 else "[tachycardic and hypotensive|obs poor, NEWS raised]")
    return ", ".join(parts)


def list_up(phrases, rng):
    return ", ".join(phrases[:-1]) + rng.choice((" and ", ", ")) + phrases[-1] if len(phrases) > 1 else phrases[0]


def findings(complaint, rng):
    """Which findings are present, which are ruled out: (present with weights, absent)."""
    illness = rng.betavariate(1.3, 1.5)
    present, absent = [], []
    others = [finding for finding in GENERAL if finding[0] not in " ".join(complaint["names"])]
    for phrase, weight in complaint["findings"] + rng.sample(others, 4):
        if rng.random() < 0.12 + 0.62 * illness:
            present.append((phrase, weight))
        else:
            absent.append(phrase)
    rng.shuffle(present)
    rng.shuffle(absent)
    return present[:5], absent[:5]


def compose(patient, complaint, present, absent, strain, rng):
    negated, gone = [], rng.choice(absent) if absent else None
    while absent:
        size = rng.randrange(1, 4)
        negated.append(rng.choice(NEGATIONS).replace("{x}", " or ".join(absent[:size])))
        absent = absent[size:]
    if gone and rng.random() < 0.35:
        negated[-1] = rng.choice(PAST).replace("{x}", gone)
    positive = []
    for start in range(0, len(present), 3):
        names = [phrase for phrase, _ in present[start:start + 3]]
        positive.append(rng.choice(("{x}", "[reports|has|with|now has] {x}", "[positive for|also] {x}")).replace("{x}", list_up(names, rng)))
    sentences = positive + negated[:2]
    rng.shuffle(sentences)
    opener = rng.choice(OPENERS).replace("{complaint}", rng.choice(complaint["names"]))
    chronic = "[Hx|PMH|Background:] " + ", ".join(rng.choice(CHRONIC[name][0]) for name in patient.chronic) if patient.chronic else "[PMH nil|No PMH|No regular meds|]"
    middle = [chronic, vitals(strain, rng)]
    rng.shuffle(middle)
    if rng.random() < 0.3:
        middle.append(rng.choice(SLOTS["remark"]))
    parts = [opener] + sentences + middle
    texts = [expand(part, rng, {**SLOTS, "age": lambda _: patient.age, "sex": lambda _: patient.sex}) for part in parts]
    return " ".join(text[0].upper() + text[1:] + "." for text in texts if text)


def note(patient, rng):
    complaint = rng.choice(COMPLAINTS)
    present, absent = findings(complaint, rng)
    severity = complaint["base"] + sum(weight for _, weight in present) + 0.012 * (patient.age - 50)
    severity += sum(CHRONIC[name][1] for name in patient.chronic)
    strain = max(0.0, min(3.0, 0.42 * severity + rng.gauss(0, 0.3)))
    severity += rng.gauss(0, 0.35)
    outcome = OUTCOMES[sum(severity > limit for limit in (2.05, 3.2, 5.0))]
    text = compose(patient, complaint, present, absent, strain, rng)
    if rng.random() < 0.15:
        text = with_typo(text, rng)
    if rng.random() < 0.15:
        text = text.lower()
    return text, outcome


def files():
    rng = random.Random(SEED)
    parts = {"train": [], "test": []}
    for number in range(1, PATIENTS + 1):
        patient = Patient(number, rng)
        date = datetime.date(2025, 1, 1) + datetime.timedelta(days=rng.randrange(200))
        for _ in range(rng.choices((2, 3, 4), (4, 4, 2))[0]):
            text, outcome = note(patient, rng)
            row = {"note": text, "outcome": outcome, "patient": patient.name, "visit_date": date.isoformat()}
            parts["test" if number > PATIENTS - TEST_PATIENTS else "train"].append(row)
            date += datetime.timedelta(days=rng.randrange(3, 120))
    for rows in parts.values():
        rows.sort(key=lambda row: (row["visit_date"], row["patient"]))
    return {f"{part}.jsonl": jsonl(rows) for part, rows in parts.items()}
