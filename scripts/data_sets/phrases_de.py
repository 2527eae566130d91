"""English phrases for the counter of a bank and of a hospital, with their German translations.

The German is composed from tables that hold every noun in the cases that occur, so that gender and case are right by construction."""
import random

from .grammar import drawn_parts

NAME = "phrases_de"
SEED = 20260202
ROWS = {"test": 100, "validation": 80, "train": 1000}

README = """
# Phrases for counter and ward, English to German

1,180 short phrases for the counter of a bank and of a hospital: `train.jsonl` (1,000 rows), `validation.jsonl` (80), `test.jsonl` (100), columns
`english` and `german` (polite form of address).

**Synthetic.** Written for this project: `scripts/make_data.py` composes the phrases from tables (`scripts/data_sets/phrases_de.py`) with a fixed
seed. German nouns stand in the tables in the cases that occur, so that gender, case and word order are right by construction; times are spelled
as in timetables (`um 14:30 Uhr`). No phrase stands in two files, in either language. Licence: Apache-2.0.

What it asks of a model: the verb at the end (`Ich habe meine Karte verloren.`), articles and possessives that follow gender and case
(`in der Apotheke`, `im Wartezimmer`), separable verbs, and combinations of noun, place and time that the training file does not have.
"""

# English, then German in the accusative: with "mein", with "ein".
THINGS = [
    ("card", "meine Karte", "eine Karte"), ("passport", "meinen Pass", "einen Pass"),
    ("key", "meinen Schlüssel", "einen Schlüssel"), ("phone", "mein Handy", "ein Handy"),
    ("bag", "meine Tasche", "eine Tasche"), ("receipt", "meinen Beleg", "einen Beleg"),
    ("form", "mein Formular", "ein Formular"), ("contract", "meinen Vertrag", "einen Vertrag"),
    ("insurance card", "meine Versichertenkarte", "eine Versichertenkarte"),
    ("prescription", "mein Rezept", "ein Rezept"), ("bank statement", "meinen Kontoauszug", "einen Kontoauszug"),
    ("appointment card", "meinen Terminzettel", "einen Terminzettel"),
]
# English with preposition, German with preposition and dative; then the place as a question has it (nominative).
PLACES = [
    ("at the counter", "am Schalter", "the counter", "der Schalter"), ("in the pharmacy", "in der Apotheke", "the pharmacy", "die Apotheke"),
    ("in the waiting room", "im Wartezimmer", "the waiting room", "das Wartezimmer"), ("in the lobby", "in der Eingangshalle", "the lobby", "die Eingangshalle"),
    ("at the reception", "am Empfang", "the reception", "der Empfang"), ("in the branch", "in der Filiale", "the branch", "die Filiale"),
    ("at the cash machine", "am Geldautomaten", "the cash machine", "der Geldautomat"), ("in the emergency room", "in der Notaufnahme", "the emergency room", "die Notaufnahme"),
    ("in the laboratory", "im Labor", "the laboratory", "das Labor"), ("in the lift", "im Aufzug", "the lift", "der Aufzug"),
]
# English, German accusative, German dative.
PEOPLE = [
    ("the doctor", "den Arzt", "dem Arzt"), ("the nurse", "die Pflegerin", "der Pflegerin"), ("the adviser", "den Berater", "dem Berater"),
    ("the surgeon", "die Chirurgin", "der Chirurgin"), ("the manager", "die Filialleiterin", "der Filialleiterin"), ("the dentist", "den Zahnarzt", "dem Zahnarzt"),
    ("my daughter", "meine Tochter", "meiner Tochter"), ("my husband", "meinen Mann", "meinem Mann"), ("my wife", "meine Frau", "meiner Frau"), ("my son", "meinen Sohn", "meinem Sohn"),
]
DAYS = [("Monday", "Montag"), ("Tuesday", "Dienstag"), ("Wednesday", "Mittwoch"), ("Thursday", "Donnerstag"), ("Friday", "Freitag"), ("Saturday", "Samstag")]
SUMS = [("twenty euros", "zwanzig Euro"), ("fifty euros", "fünfzig Euro"), ("one hundred euros", "hundert Euro"), ("two hundred euros", "zweihundert Euro"),
        ("five hundred euros", "fünfhundert Euro"), ("one thousand euros", "tausend Euro"), ("thirty euros", "dreißig Euro"), ("eighty euros", "achtzig Euro")]
SPANS = [("two days", "zwei Tagen"), ("three days", "drei Tagen"), ("a week", "einer Woche"), ("two weeks", "zwei Wochen"), ("a month", "einem Monat"), ("an hour", "einer Stunde"), ("last night", "gestern Abend"), ("this morning", "heute Morgen")]
# English after "my", German with article, whether it is a plural.
BODY = [("head", "der Kopf", False), ("knee", "das Knie", False), ("back", "der Rücken", False), ("stomach", "der Bauch", False), ("shoulder", "die Schulter", False),
        ("throat", "der Hals", False), ("foot", "der Fuß", False), ("hand", "die Hand", False), ("ears", "die Ohren", True), ("eyes", "die Augen", True)]
SYMPTOMS = [("a fever", "Fieber"), ("a cough", "Husten"), ("a headache", "Kopfschmerzen"), ("a rash", "einen Ausschlag"), ("chest pain", "Schmerzen in der Brust"),
            ("an infection", "eine Infektion"), ("a sore throat", "Halsschmerzen"), ("back pain", "Rückenschmerzen")]
MEDICINES = [("this tablet", "diese Tablette"), ("the drops", "die Tropfen"), ("the antibiotic", "das Antibiotikum"), ("the painkiller", "das Schmerzmittel")]
TIMES_A_DAY = [("once a day", "einmal am Tag"), ("twice a day", "zweimal am Tag"), ("three times a day", "dreimal am Tag"), ("before meals", "vor dem Essen"), ("after meals", "nach dem Essen"), ("before going to bed", "vor dem Schlafengehen")]
# English, German accusative, dative.
ACCOUNTS = [("my account", "mein Konto", "meinem Konto"), ("my savings account", "mein Sparkonto", "meinem Sparkonto"),
            ("our joint account", "unser Gemeinschaftskonto", "unserem Gemeinschaftskonto")]


def capital(text):
    return text[0].upper() + text[1:]


def clock(rng):
    hour, minute = rng.randrange(8, 18), rng.choice(("00", "15", "30", "45"))
    return f"{hour}:{minute}", f"{hour}:{minute} Uhr"


def at_counter(rng):
    """(English, German) of a phrase about things, people and appointments."""
    thing, place, person, day, span = rng.choice(THINGS), rng.choice(PLACES), rng.choice(PEOPLE), rng.choice(DAYS), rng.choice(SPANS)
    room, official = rng.choice(PLACES[:7]), rng.choice(PEOPLE[:6])
    time, uhr = clock(rng)
    for_span = f"vor {span[1]}" if span[0] not in ("last night", "this morning") else span[1]
    ago = f"{span[0]} ago" if span[0] not in ("last night", "this morning") else span[0]
    return rng.choice([
        (f"I have lost my {thing[0]}.", f"Ich habe {thing[1]} verloren."),
        (f"I lost my {thing[0]} {place[0]}.", f"Ich habe {thing[1]} {place[1]} verloren."),
        (f"I lost my {thing[0]} {ago}.", f"Ich habe {for_span} {thing[1]} verloren."),
        (f"I left my {thing[0]} {place[0]}.", f"Ich habe {thing[1]} {place[1]} liegen lassen."),
        (f"Have you found my {thing[0]}?", f"Haben Sie {thing[1]} gefunden?"),
        (f"Where is {place[2]}?", f"Wo ist {place[3]}?"),
        (f"Please wait {room[0]}.", f"Bitte warten Sie {room[1]}."),
        (f"Do I need {'an' if thing[0][0] in 'aio' else 'a'} {thing[0]}?", f"Brauche ich {thing[2]}?"),
        (f"Please bring your {thing[0]} on {day[0]}.", f"Bitte bringen Sie am {day[1]} {thing[1].replace('mein', 'Ihr', 1)} mit."),
        (f"I have an appointment with {official[0]} at {time}.", f"Ich habe um {uhr} einen Termin bei {official[2]}.".replace("bei dem", "beim")),
        (f"I would like to speak to {person[0]}.", f"Ich möchte mit {person[2]} sprechen."),
        (f"I am waiting for {person[0]}.", f"Ich warte auf {person[1]}."),
        (f"I am waiting for {person[0]} {room[0]}.", f"Ich warte {room[1]} auf {person[1]}."),
        (f"Can we meet {room[0]} on {day[0]}?", f"Können wir uns am {day[1]} {room[1]} treffen?"),
        (f"Can I come on {day[0]} at {time}?", f"Kann ich am {day[1]} um {uhr} kommen?"),
        (f"Are you open on {day[0]}?", f"Haben Sie am {day[1]} geöffnet?"),
        (f"My appointment is on {day[0]} at {time}.", f"Mein Termin ist am {day[1]} um {uhr}."),
        (f"I have to cancel my appointment on {day[0]}.", f"Ich muss meinen Termin am {day[1]} absagen."),
    ])


def at_bank(rng):
    sum_, account, day, place = rng.choice(SUMS), rng.choice(ACCOUNTS), rng.choice(DAYS), rng.choice(PLACES[:1] + PLACES[5:7])
    return rng.choice([
        (f"I would like to withdraw {sum_[0]}.", f"Ich möchte {sum_[1]} abheben."),
        (f"I would like to withdraw {sum_[0]} from {account[0]}.", f"Ich möchte {sum_[1]} von {account[2]} abheben."),
        (f"I withdrew {sum_[0]} {place[0]} on {day[0]}.", f"Ich habe am {day[1]} {place[1]} {sum_[1]} abgehoben."),
        (f"Please transfer {sum_[0]} to {account[0]}.", f"Bitte überweisen Sie {sum_[1]} auf {account[1]}."),
        (f"I would like to pay {sum_[0]} into {account[0]}.", f"Ich möchte {sum_[1]} auf {account[1]} einzahlen."),
        (f"{capital(sum_[0])} are missing from {account[0]}.", f"Auf {account[2]} fehlen {sum_[1]}."),
        (f"The fee is {sum_[0]}.", f"Die Gebühr beträgt {sum_[1]}."),
        (f"Please close {account[0]} on {day[0]}.", f"Bitte schließen Sie {account[1]} am {day[1]}."),
        (f"How much money is in {account[0]}?", f"Wie viel Geld ist auf {account[2]}?"),
    ])


def at_hospital(rng):
    part, symptom, medicine, often, span, person = (rng.choice(table) for table in (BODY, SYMPTOMS, MEDICINES, TIMES_A_DAY, SPANS, PEOPLE[6:]))
    since = f"since {span[0]}" if span[0] in ("last night", "this morning") else f"for {span[0]}"
    he = "He" if person[0] in ("my husband", "my son") else "She"
    return rng.choice([
        (f"My {part[0]} {'hurt' if part[2] else 'hurts'}.", f"Mir {'tun' if part[2] else 'tut'} {part[1]} weh."),
        (f"My {part[0]} {'have' if part[2] else 'has'} been hurting {since}.", f"Mir {'tun' if part[2] else 'tut'} seit {span[1]} {part[1]} weh."),
        (f"Do your {part[0]} hurt?" if part[2] else f"Does your {part[0]} hurt?", f"{'Tun' if part[2] else 'Tut'} Ihnen {part[1]} weh?"),
        (f"I have {symptom[0]}.", f"Ich habe {symptom[1]}."),
        (f"I have had {symptom[0]} {since}.", f"Ich habe seit {span[1]} {symptom[1]}."),
        (f"Do you have {symptom[0]}?", f"Haben Sie {symptom[1]}?"),
        (f"{he} has had {symptom[0]} {since}.", f"{'Er' if he == 'He' else 'Sie'} hat seit {span[1]} {symptom[1]}."),
        (f"{capital(person[0])} has {symptom[0]}.", f"{nominative(person[0])} hat {symptom[1]}."),
        (f"Take {medicine[0]} {often[0]}.", f"Nehmen Sie {medicine[1]} {often[1]}."),
        (f"Use the ointment {often[0]}.", f"Benutzen Sie die Salbe {often[1]}.") if often in TIMES_A_DAY[:3] else ("Where do I put the ointment?", "Wohin kommt die Salbe?"),
        (f"When should I take {medicine[0]}?", f"Wann soll ich {medicine[1]} nehmen?"),
        (f"I have run out of {medicine[0].replace('this tablet', 'these tablets')}.", out_of(medicine)),
    ])


def nominative(person):
    return {"my daughter": "Meine Tochter", "my husband": "Mein Mann", "my wife": "Meine Frau", "my son": "Mein Sohn"}[person]


def out_of(medicine):
    plural = {"this tablet": "diese Tabletten", "the drops": "die Tropfen"}.get(medicine[0])
    return f"Mir sind {plural} ausgegangen." if plural else f"Mir ist {medicine[1]} ausgegangen."


def phrase(rng):
    english, german = rng.choice((at_counter, at_counter, at_bank, at_hospital))(rng)
    return {"english": english, "german": german}


def files():
    return drawn_parts(phrase, random.Random(SEED), ROWS, "english", "german")
