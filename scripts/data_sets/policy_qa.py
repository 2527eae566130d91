"""Questions on short notices of a bank and a clinic, answered in a few words."""
import random

from .grammar import drawn_parts, expand

NAME = "policy_qa"
SEED = 20260204
ROWS = {"test": 100, "validation": 80, "train": 900}

README = """
# Questions on notices

1,080 questions on short notices of an imaginary bank and an imaginary clinic, answered in a few words: `train.jsonl` (900 rows),
`validation.jsonl` (80), `test.jsonl` (100), columns `context`, `question`, `answer`. For models that write the answer; data/faq_qa is for models that mark it.

**Synthetic.** Written for this project: `scripts/make_data.py` draws three or four facts, writes each in one of its wordings, and asks for one
(`scripts/data_sets/policy_qa.py`, fixed seed). No notice stands in two files. Licence: Apache-2.0.

One question in ten asks for a fact that the notice does not hold; its answer is `The notice does not say.` Figures of the same kind stand beside
each other in a notice, so that the right one must be found, not any.
"""

UNKNOWN = "The notice does not say."


def table(choices):
    return lambda rng: rng.choice(choices)


HOURS = ["8 am", "8.30 am", "9 am", "9.30 am", "10 am"]
CLOSING = ["4 pm", "5 pm", "5.30 pm", "6 pm", "7 pm"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
SUMS = ["£2", "£3", "£5", "£8", "£12", "£15", "£20", "£25", "£40", "£60"]
SPANS = ["3 days", "5 days", "7 days", "10 days", "14 days", "21 days", "30 days"]
PHONES = [str(number) for number in range(2107, 2999, 41)]
# A fact: the slot it is about, its values, wordings, questions.
NOTICES = {
    "the branch in {city}": [
        ("opens", HOURS, ["The branch in {city} opens at {opens}.", "We open at {opens} in {city}."], ["When does the branch in {city} open?", "From what time is the branch open?"]),
        ("closes", CLOSING, ["It closes at {closes}.", "The doors close at {closes}."], ["When does the branch in {city} close?", "Until when is the branch open?"]),
        ("shut", DAYS, ["On {shut} it stays shut.", "There is no service on {shut}."], ["On what day is the branch shut?", "When is there no service in {city}?"]),
        ("adviser", DAYS, ["An adviser for loans is there on {adviser}.", "Loans are discussed on {adviser}."], ["On what day can I talk about a loan?", "When is the adviser for loans there?"]),
        ("phone", PHONES, ["Call {phone} for an appointment.", "Appointments are made under {phone}."], ["What number do I call for an appointment?", "Under what number are appointments made?"]),
    ],
    "the {card} card": [
        ("price", SUMS, ["The {card} card costs {price} a year.", "For the {card} card we charge {price} a year."], ["What does the {card} card cost?", "How much is the {card} card?"]),
        ("cash", SUMS, ["Cash from other machines costs {cash}.", "Each withdrawal from other machines costs {cash}."], ["What is the fee for cash from other machines?", "What does a withdrawal cost?"]),
        ("second", SUMS, ["A second card is {second}.", "A partner pays {second} for a second card."], ["What does a second card cost?", "How much is a second card?"]),
        ("delivery", SPANS, ["It arrives within {delivery}.", "Delivery takes {delivery}."], ["How long does delivery take?", "Within what time does the card arrive?"]),
        ("dispute", SPANS, ["Wrong payments must be reported within {dispute}.", "Report a wrong payment within {dispute}."], ["Within what time must I report a wrong payment?", "How long can I report a wrong payment?"]),
    ],
    "ward {ward}": [
        ("visits", CLOSING, ["Visitors of ward {ward} are welcome until {visits}.", "Visits on ward {ward} end at {visits}."], ["Until when may I visit ward {ward}?", "When do visits end?"]),
        ("rounds", HOURS, ["The doctors make their rounds at {rounds}.", "Rounds begin at {rounds}."], ["When do the doctors make their rounds?", "At what time do rounds begin?"]),
        ("bed", PHONES, ["The nurses' station has the number {bed}.", "Call the nurses under {bed}."], ["What is the number of the nurses?", "Under what number can I call the nurses?"]),
        ("tv", SUMS, ["Television costs {tv} a week.", "For television we charge {tv} a week."], ["What does television cost?", "How much is television?"]),
        ("parking", SUMS, ["Parking is {parking} a day.", "A day in the car park costs {parking}."], ["What does parking cost?", "How much is a day in the car park?"]),
    ],
    "the {clinic} clinic": [
        ("starts", HOURS, ["The {clinic} clinic starts at {starts}.", "At the {clinic} clinic the first patient is seen at {starts}."], ["When does the {clinic} clinic start?", "At what time is the first patient seen?"]),
        ("held", DAYS, ["It is held on {held}.", "We see patients on {held}."], ["On what day is the clinic held?", "On what day do you see patients?"]),
        ("wait", SPANS, ["The wait is about {wait}.", "A place is free within {wait}."], ["How long is the wait for the {clinic} clinic?", "How long must I wait for a place?"]),
        ("cancel", SPANS, ["Please cancel {cancel} before.", "Cancel at the latest {cancel} before your visit."], ["How long before must I cancel?", "How early must a visit be cancelled?"]),
        ("results", SPANS, ["Results come after {results}.", "You get your results after {results}."], ["When do I get my results?", "After what time do results come?"]),
    ],
}
NAMES = {"city": ["Leith", "Cardiff", "Hull", "Dundee", "Whitby", "Bath", "York", "Truro"], "card": ["Basic", "Plus", "Gold", "Student", "Family"],
         "ward": ["1", "2", "3", "4", "5", "6", "7", "8", "9"], "clinic": ["heart", "eye", "skin", "diabetes", "asthma", "knee"]}


def row(rng):
    facts = NOTICES[rng.choice(list(NOTICES))]
    values = {name: rng.choice(choices) for name, choices in NAMES.items()}
    for slot, choices, _, _ in facts:
        free = [choice for choice in choices if choice not in values.values()]
        values[slot] = rng.choice(free)
    slots = {name: table([value]) for name, value in values.items()}
    # The first fact names what the notice is about and always stands first.
    told = [facts[0], *rng.sample(facts[1:], rng.choice((2, 3)))]
    context = " ".join(expand(rng.choice(wordings), rng, slots) for _, _, wordings, _ in told)
    absent = [fact for fact in facts if fact not in told]
    fact = rng.choice(absent) if rng.random() < 0.1 else rng.choice(told)
    answer = values[fact[0]] if fact in told else UNKNOWN
    return {"context": context, "question": expand(rng.choice(fact[3]), rng, slots), "answer": answer}


def files():
    return drawn_parts(row, random.Random(SEED), ROWS, "context")
