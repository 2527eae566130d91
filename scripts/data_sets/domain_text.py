"""Sentences of a bank's operations log and handbook, for masked language modelling."""
import random

from .grammar import expand

NAME = "domain_text"
SEED = 20260106
LINES = {"train": 400, "validation": 60}

README = """
# Domain text

460 sentences in the language of a bank's back office (payments operations, card disputes, mobile network): `train.txt` (400 lines) and
`validation.txt` (60), one sentence a line, for masked language modelling. Words such as chargeback, pain.001, acquirer, nostro and camt.053
keep their company, so that a model that has read the training lines guesses them better.

**Synthetic.** Written for this project: `scripts/make_data.py` draws the sentences from a phrase grammar
(`scripts/data_sets/domain_text.py`) with a fixed seed. Licence: Apache-2.0.
"""

SLOTS = {
    "file": ["pain.001", "pacs.008", "camt.053", "camt.054", "pain.002"],
    "queue": ["repair queue", "sanctions queue", "return queue", "four-eyes queue"],
    "role": ["the duty officer", "a second approver", "the reconciliation desk", "the disputes team", "the acquirer", "the issuer", "treasury"],
    "reason": ["wrong creditor account", "closed account", "duplicate payment", "missing mandate", "insufficient funds", "regulatory reason"],
    "code": ["AC01", "AC04", "AM04", "AM05", "MD01", "RR04"],
    "cutoff": ["14:00", "15:30", "16:00", "17:45"],
    "days": ["two business days", "five business days", "13 months", "eight weeks", "120 days", "ten business days"],
    "evidence": ["proof of delivery", "the signed mandate", "the terminal log", "the cardholder's statement", "a refund receipt"],
    "ledger": ["nostro account", "suspense account", "clearing account", "vostro account"],
    "site": ["the mast at Hill Road", "cell 4117", "the core router", "the backhaul link", "the roaming gateway"],
    "kpi": ["dropped calls", "attach failures", "packet loss", "handover failures"],
    "n": lambda rng: str(rng.randrange(3, 240)),
    "sum": lambda rng: f"EUR {rng.randrange(50, 90000):,}",
}

SENTENCES = [
    "Rejected {file} messages are moved to the {queue} and [worked off|cleared|released] by {role} before {cutoff}.",
    "A SEPA direct debit can be returned within {days} [without giving a reason|if the mandate is missing|by the debtor].",
    "The return carries the code {code}, which stands for {reason}.",
    "For a chargeback {role} needs {evidence} within {days}.",
    "The [morning|evening] reconciliation of the {ledger} showed a difference of {sum}, caused by a {file} that was booked twice.",
    "Payments above {sum} wait in the four-eyes queue until a second approver has [signed|released] them.",
    "The acquirer presented the transaction a second time with {evidence}, [so|and] the issuer withdrew the chargeback.",
    "Instant transfers are credited within ten seconds and cannot be recalled [after settlement|once they have settled].",
    "The {file} statement of the {ledger} is imported at {cutoff} and matched line by line [by the reconciliation desk|against the ledger].",
    "Unmatched items older than {days} are [written off to|parked on] the suspense account by {role}.",
    "A hit in the sanctions queue is [checked|decided] by {role}; a false hit is released with a comment.",
    "The cardholder disputes {n} contactless payments; the terminal log shows that no PIN was [entered|asked for].",
    "Interchange for the [week|month] was settled net over the {ledger}, {sum} in our favour.",
    "The mandate reference in the {file} did not match, therefore the collection came back with {code}.",
    "Liquidity on the {ledger} fell below {sum} at {cutoff} and treasury topped it up.",
    "Recall requests go out as camt.056 and are answered by the creditor bank within {days}.",
    "{n} subscribers lost service when {site} failed; the alarm was raised at {cutoff}.",
    "After the software update {kpi} at {site} rose by {n} per hour and the change was rolled back.",
    "The field engineer replaced the rectifier of {site} and {kpi} went back to normal.",
    "Roaming partners exchange TAP files [every night|once a day]; a rejected file is returned as RAP within {days}.",
    "Number porting fails with {reason} when the donor network has another holder on record.",
    "A SIM swap locks outgoing transfers for {n} hours, because stolen numbers are used to [receive codes|reset passwords].",
    "Strong customer authentication was skipped under the low value exemption, so liability stays with {role}.",
    "The velocity rule blocked {n} authorisations from the same merchant within [an hour|ten minutes].",
    "Provisional credit is reversed when {role} loses the arbitration.",
    "The standing order was [executed|booked] twice since the batch at {cutoff} had been restarted by {role}.",
    "Value date and booking date differ by two business days for cheques drawn on a foreign bank.",
    "KYC documents expire after {n} months, then the account is limited to incoming payments.",
    "Dormant accounts are [swept|moved] to the suspense account after {n} months and reported to {role}.",
    "The fee for a currency conversion is the spread between the card scheme's rate and the rate of treasury at {cutoff}.",
]


def files():
    rng = random.Random(SEED)
    seen = set()
    parts = {}
    for part, count in LINES.items():
        lines = []
        while len(lines) < count:
            line = expand(rng.choice(SENTENCES), rng, SLOTS)
            line = line[0].upper() + line[1:]
            if line not in seen:
                seen.add(line)
                lines.append(line)
        parts[f"{part}.txt"] = "\n".join(lines) + "\n"
    return parts
