"""Support tickets to Harbour Bank, each with the line that a colleague reads in the list of tickets."""
import random

from .chat_topics import SLOTS as WORLD
from .grammar import drawn_parts, expand, with_typo

NAME = "ticket_summary"
SEED = 20260203
ROWS = {"test": 80, "validation": 60, "train": 600}

README = """
# Ticket summaries

740 support tickets to an imaginary bank, each with a summary of one line: `train.jsonl` (600 rows), `validation.jsonl` (60), `test.jsonl` (80),
columns `ticket` and `summary`.

**Synthetic.** Written for this project: `scripts/make_data.py` draws a case (what happened, where, what was tried, what is wanted), writes the
ticket from a phrase grammar (`scripts/data_sets/ticket_summary.py`) and the summary from the same case. Fixed seed; nobody ever wrote them. No
ticket stands in two files. Licence: Apache-2.0.

A summary has one form: `<what happened>; tried: <what>; wants: <what>.` The ticket tells the same in any order, between greetings, remarks that
do not belong there, and signatures. Sums, shops and places must be copied.
"""

# What happened: ways to tell it, and the summary.
CASES = [
    (["My card was [declined|refused] at {shop} {when}.", "{when}, {shop} would not take my card."], "card declined at {shop}", ["card", "paying"]),
    (["I lost my card {where}.", "My card disappeared {where}."], "card lost {where}", ["block"]),
    (["{shop} took {amount} from my account twice.", "I see {amount} to {shop} two times."], "{amount} to {shop} booked twice", ["money"]),
    (["There is a payment of {amount} to {shop} that I never made.", "I know nothing of the {amount} that went to {shop}."], "unknown payment of {amount} to {shop}", ["money"]),
    (["{shop} owes me {amount} since {since} and nothing has come.", "The refund of {amount} from {shop} is not there."], "refund of {amount} from {shop} missing", ["money"]),
    (["My transfer of {amount} to {person} has not arrived.", "I sent {person} {amount} {when} and it never got there."], "transfer of {amount} to {person} not arrived", ["transfer"]),
    (["The cash machine in {city} kept {amount} of mine.", "I did not get the {amount} from the machine in {city}."], "cash machine in {city} paid out {amount} too little", ["money"]),
    (["The app [crashes|closes] when I open {screen}.", "I cannot open {screen} in the app."], "app crashes in {screen}", ["app"]),
    (["There is no signal in {city} {when2}.", "My phone has no network in {city} {when2}."], "no signal in {city}", ["signal"]),
    (["I was charged a fee of {fee} for {feeof}.", "You took {fee} from me for {feeof}."], "fee of {fee} for {feeof}", ["fee"]),
]
TRIED = {
    "card": [("I tried a second time with the PIN[, without luck|, which did not help|]", "PIN again"), ("I paid in cash in the end", "paid in cash")],
    "paying": [("The cashier tried another terminal[, without luck|, which did not help|]", "another terminal"), ("I held the phone there instead", "phone")],
    "block": [("I have blocked it in the app", "blocked in the app"), ("I called the hotline and got nobody", "hotline")],
    "money": [("I asked them and they said to ask you", "asked the other side"), ("I waited for a week", "waited a week"), ("I called the hotline and got nobody", "hotline")],
    "transfer": [("I checked the account number[, without luck|, which did not help|]", "checked the number"), ("I tapped Trace in the app[, without luck|, which did not help|]", "Trace")],
    "app": [("I installed it again[, without luck|, which did not help|]", "installed again"), ("I switched the phone off and on[, without luck|, which did not help|]", "restart")],
    "signal": [("I switched the phone off and on[, without luck|, which did not help|]", "restart"), ("I put the SIM card into another phone[, without luck|, which did not help|]", "SIM in another phone")],
    "fee": [("I read the price list", "price list"), ("I called the hotline and got nobody", "hotline")],
}
WANTS = {
    "card": [("Please tell me what was wrong.", "reason"), ("Please raise my limit.", "higher limit")],
    "paying": [("Please tell me what was wrong.", "reason"), ("I need a new card.", "new card")],
    "block": [("I need a new card by {weekday}.", "new card by {weekday}"), ("Please send the new one to my office in {city}.", "new card to office in {city}")],
    "money": [("I want the money back.", "money back"), ("Please open a dispute.", "dispute"), ("Please call me on {weekday}.", "call on {weekday}")],
    "transfer": [("Please call it back.", "recall"), ("Please find out where it is.", "trace")],
    "app": [("Please repair this.", "repair"), ("Please call me on {weekday}.", "call on {weekday}")],
    "signal": [("Please tell me when it works again.", "date of repair"), ("I want something off my bill.", "money off the bill")],
    "fee": [("I want it back.", "money back"), ("Please explain it.", "explanation")],
}
REMARKS = ["I have been with you for [ten|twelve|six] years.", "The weather here is awful, by the way.", "Your colleague on the phone was very kind.", "I am writing from my phone, sorry for the slips.",
           "My [sister|neighbour] has the same bank and no trouble.", "I am [not amused|quite annoyed|a little worried].", "The new app looks nice otherwise.", "I wrote to you about something else in spring."]
OPENERS = ["Hello,", "Dear team,", "Good morning,", "Hi,", "Dear Sir or Madam,", "To whom it may concern,"]
CLOSERS = ["Thanks, {name}", "Kind regards {name}", "Best wishes, {name}", "{name}", "Yours, {name}"]
SLOTS = {"when": ["yesterday", "on Monday", "last week", "this morning", "on the 3rd"], "when2": ["since yesterday", "since Monday", "for days", "in the evenings"],
         "weekday": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"], "screen": ["Payments", "Cards", "Profile", "Documents", "Plan"],
         "feeof": ["cash abroad", "a late bill", "a paper statement", "a second card", "an overdraft"],
         "name": ["A. Morgan", "Priya", "Mr Hale", "Tom Brook", "J. Summers", "Mrs May", "Ewa", "Sam O."]}


def case(rng):
    values = {"amount": rng.choice((f"£{rng.randrange(5, 90)}", f"£{rng.randrange(100, 900, 10)}", f"£{rng.randrange(5, 60)}.{rng.randrange(10, 99)}"))}
    values |= {name: rng.choice(choices) for name, choices in {**WORLD, **SLOTS}.items()}
    slots = {name: (lambda _, value=value: value) for name, value in values.items()}
    told, summary, kinds = rng.choice(CASES)
    tried = rng.choice([pair for kind in kinds for pair in TRIED[kind]])
    wants = rng.choice([pair for kind in kinds for pair in WANTS[kind]])
    sentences = [rng.choice(told), f"{tried[0]}.", rng.choice(REMARKS)]
    if rng.random() < 0.4:
        sentences.append(rng.choice(REMARKS))
    rng.shuffle(sentences)
    sentences.insert(rng.choice((0, len(sentences))), wants[0])
    text = " ".join(s[0].upper() + s[1:] for s in (expand(s, rng, slots) for s in dict.fromkeys(sentences)))
    text = f"{rng.choice(OPENERS)} {text} {expand(rng.choice(CLOSERS), rng, slots)}"
    if rng.random() < 0.15:
        text = with_typo(text, rng)
    line = expand(f"{summary}; tried: {tried[1]}; wants: {wants[1]}.", rng, slots)
    return {"ticket": text, "summary": line[0].upper() + line[1:]}


def files():
    return drawn_parts(case, random.Random(SEED), ROWS, "ticket")
