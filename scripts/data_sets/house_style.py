"""Notices in the language of an administration, rewritten in the voice of a brand."""
import random

from .grammar import drawn_parts, expand

NAME = "house_style"
SEED = 20260205
ROWS = {"test": 70, "validation": 50, "train": 560}

README = """
# House style

680 notices in the language of an administration, each rewritten in the voice of an imaginary brand, Harbour: `train.jsonl` (560 rows),
`validation.jsonl` (50), `test.jsonl` (70), columns `plain` and `styled`.

**Synthetic.** Written for this project: `scripts/make_data.py` fills pairs of phrase templates with the same figures
(`scripts/data_sets/house_style.py`, fixed seed). No notice stands in two files. Licence: Apache-2.0.

The voice: the reader is "you" and the bank is "we"; short words and contractions; the news first, then what to do, then `Your Harbour crew`; figures
and names are taken over as they are. 28 kinds of notice; the plain side is worded in several ways, the styled side in one.
"""

# Plain wordings, the styled text.
PAIRS = [
    (["[Customers are informed|It is hereby announced|Please be advised] that the branch in {city} will be closed on {day}.", "The {city} branch [remains|will remain] closed on {day}."],
     "We're closed in {city} on {day}. See you the day after!"),
    (["[The fee for|The charge for] {service} [will be|is to be] increased to {fee} with effect from {date}."], "From {date}, {service} costs {fee}. Not for you? Change your plan any time."),
    (["[The fee for|The charge for] {service} [will be|is to be] reduced to {fee} with effect from {date}."], "Good news: from {date}, {service} costs only {fee}."),
    (["The application for {product} has been approved.", "[It is confirmed|We confirm] that the request for {product} was granted."], "You're in! Your {product} is ready in the app."),
    (["The application for {product} could not be approved.", "The request for {product} has been declined."], "Not this time: we can't give you {product} yet. Tap Why to see what would help."),
    (["It is noted that {document} [has not been received|is missing] and must be submitted by {date}.", "Submission of {document} is required by {date}."], "One thing's missing: {document}. Send it in the app by {date} and we're done."),
    (["The payment of {sum} was not executed owing to insufficient funds.", "Due to insufficient funds the payment of {sum} [was returned|could not be made]."],
     "Your payment of {sum} didn't go through. Top up your account and tap Try again."),
    (["Maintenance of {system} will [take place|be carried out] on {day} between {hour} and {hour2}.", "{system} will be unavailable on {day} from {hour} to {hour2} owing to maintenance."],
     "From {hour} to {hour2} on {day}, {system} takes a nap. Everything else works."),
    (["The password must be changed [before|no later than] {date}.", "Users are required to change the password by {date}."], "Time for a new password. It takes a minute; please do it by {date}."),
    (["The card ending in {digits} expires on {date} and will be replaced.", "A replacement will be issued for the card ending in {digits}, which expires on {date}."],
     "Your card {digits} runs out on {date}. A new one's on its way; no need to do anything."),
    (["A suspicious transaction of {sum} has been detected and the card has been blocked.", "The card was blocked following a suspicious transaction of {sum}."],
     "Was that you? We've stopped a payment of {sum} and locked your card. Tap Yes or No in the app."),
    (["The balance of the account has fallen below {sum}.", "It is noted that the account balance is less than {sum}."], "Heads up: you've less than {sum} left."),
    (["A refund in the amount of {sum} has been credited to the account.", "The amount of {sum} has been refunded."], "{sum} is back where it belongs: on your account."),
    (["The appointment on {day} at {hour} is confirmed.", "Confirmation is given of the appointment on {day} at {hour}."], "See you on {day} at {hour}! Can't make it? Tap Move."),
    (["The appointment on {day} at {hour} [must be|has been] cancelled.", "It is regretted that the appointment on {day} at {hour} cannot take place."], "Sorry, we can't make {day} at {hour}. Pick a new time in the app."),
    (["The invoice in the amount of {sum} is due on {date}.", "Payment of {sum} is requested by {date}."], "{sum} is due on {date}. Pay it with one tap."),
    (["The invoice in the amount of {sum} is overdue since {date}.", "Payment of {sum} was due on {date} and has not been received."], "Did this slip your mind? {sum} was due on {date}. Pay now and it's forgotten."),
    (["The new general terms [take effect|come into force] on {date}.", "On {date} the amended general terms become effective."], "We've new terms from {date}. What changes fits on one page: tap Terms."),
    (["The address of the customer has been changed to {city}.", "A change of address to {city} has been registered."], "Welcome to {city}! We've your new address."),
    (["The contract for {product} [terminates|ends] on {date}.", "It is confirmed that the contract for {product} was cancelled as of {date}."], "Your {product} ends on {date}. We're sorry to see you go."),
    (["The limit for {limited} has been set to {limit}.", "A limit of {limit} applies to {limited} from now on."], "Done: your limit for {limited} is {limit}."),
    (["An interest rate of {rate} [applies|will apply] to {product} from {date}.", "From {date} {product} will bear interest at {rate}."], "From {date}, your {product} earns {rate}."),
    (["Delivery of the card will take approximately {span}.", "The card will be delivered within {span}."], "Your card's with you within {span}. Until then, pay with your phone."),
    (["The complaint has been received and will be processed within {span}.", "Processing of the complaint will take up to {span}."], "Thanks for telling us. We'll sort it out within {span}."),
    (["Identification is required for transfers exceeding {limit}.", "Transfers of more than {limit} require identification."], "Sending more than {limit}? Have your passport ready; it takes a minute."),
    (["The data allowance of the plan has been used up until {date}.", "No data allowance remains before {date}."], "Your data's gone until {date}. Need more? Tap Add."),
    (["Customers in {city} may experience disruption of {system} on {day}.", "Disruption of {system} is expected in {city} on {day}."], "In {city}, {system} may stumble on {day}. We're on it."),
    (["Participation in the survey will be rewarded with {sum}.", "A reward of {sum} is granted for participation in the survey."], "Tell us what you think and get {sum}."),
]
SLOTS = {
    "city": ["Leith", "Cardiff", "Hull", "Dundee", "Whitby", "Bath", "York", "Truro"],
    "day": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
    "service": ["cash abroad", "a second card", "paper statements", "instant transfers", "the travel pass", "a replacement card"],
    "product": ["Harbour Plus", "Harbour Saver", "Harbour Fixed", "Drift 30", "Surf Family", "Lighthouse Gold"],
    "document": ["the passport copy", "the pay slip", "the signed form", "the proof of address", "the tax form"],
    "system": ["online banking", "the app", "the hotline", "the transfer service", "the card service"],
    "limited": ["card payments", "transfers", "cash withdrawals", "payments abroad", "online shopping"],
    "limit": ["£200", "£300", "£500", "£800", "£1,000", "£1,500", "£2,000", "£5,000", "£10,000"],
    "span": ["two days", "three days", "five days", "a week", "ten days", "two weeks"],
    "rate": ["1%", "1.5%", "2%", "2.5%", "3%"],
}
END = " Your Harbour crew"


def pair(rng):
    values = {name: rng.choice(choices) for name, choices in SLOTS.items()}
    start = rng.randrange(8, 15)
    values |= {"fee": f"£{rng.randrange(1, 20)}.{rng.choice(('00', '20', '50', '90'))}", "sum": rng.choice((f"£{rng.randrange(2, 90)}", f"£{rng.randrange(100, 950, 50)}", f"£{rng.randrange(2, 60)}.{rng.randrange(10, 99)}")),
               "date": f"{rng.randrange(1, 29)} {rng.choice(('January', 'March', 'April', 'May', 'June', 'August', 'October', 'November'))}",
               "digits": f"{rng.randrange(1000, 9999)}", "hour": f"{start}:00", "hour2": f"{start + rng.choice((1, 2, 3))}:30"}
    slots = {name: (lambda _, value=value: value) for name, value in values.items()}
    plain, styled = rng.choice(PAIRS)
    texts = [expand(template, rng, slots) for template in (rng.choice(plain), styled + END)]
    return {"plain": texts[0][0].upper() + texts[0][1:], "styled": texts[1][0].upper() + texts[1][1:]}


def files():
    return drawn_parts(pair, random.Random(SEED), ROWS, "plain", "styled")
