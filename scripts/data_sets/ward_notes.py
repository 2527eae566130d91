"""Notes of an imaginary hospital ward, for language modelling."""
import random

from .grammar import drawn_parts, expand

NAME = "ward_notes"
SEED = 20260206
ROWS = {"test": 60, "validation": 60, "train": 600}

README = """
# Ward notes

720 notes of an imaginary hospital ward (admission, daily round, nursing, discharge): `train.jsonl` (600 notes), `validation.jsonl` (60),
`test.jsonl` (60), column `text`, for language modelling; `kind` says which of the four it is.

**Synthetic.** Written for this project: `scripts/make_data.py` draws a case and writes the notes from a phrase grammar
(`scripts/data_sets/ward_notes.py`) with a fixed seed. No patient exists, and nothing here is medical advice or fit for any use on people. No note
stands in two files. Licence: Apache-2.0.

What a model can learn from it: the shape of each kind of note, abbreviations (obs, hx, NKDA, TTO, BD), which drug goes with which illness, and that
figures such as temperature, pulse and oxygen fit what the text says.
"""

# Illness: complaint, findings, treatments, what is sent home, whether there is a fever.
ILLNESSES = {
    "community-acquired pneumonia": (["cough and fever", "productive cough", "fever and breathlessness"], ["crackles at the right base", "consolidation on the chest film", "raised CRP"],
                                     ["IV co-amoxiclav", "oxygen via nasal cannulae", "IV fluids"], ["oral amoxicillin for 5 days"], True),
    "exacerbation of COPD": (["breathlessness", "wheeze and cough"], ["widespread wheeze", "hyperinflated chest film", "CO2 retention on the gas"],
                             ["salbutamol nebulisers", "prednisolone 30 mg", "controlled oxygen"], ["prednisolone for 5 days", "a rescue pack"], False),
    "heart failure": (["swollen ankles", "breathlessness lying flat"], ["bibasal crackles", "raised JVP", "BNP above 2,000"], ["IV furosemide", "fluid restriction", "daily weights"],
                      ["furosemide 40 mg BD", "bisoprolol 2.5 mg"], False),
    "urinary tract infection": (["dysuria", "new confusion", "fever and loin pain"], ["nitrites on dipstick", "loin tenderness", "raised white cells"], ["nitrofurantoin", "IV gentamicin", "oral fluids"],
                                ["nitrofurantoin for 3 days"], True),
    "cellulitis of the left leg": (["a red hot leg", "pain in the left shin"], ["erythema to the knee", "no abscess on ultrasound", "raised CRP"], ["IV flucloxacillin", "leg elevation", "paracetamol"],
                                   ["flucloxacillin for 7 days"], True),
    "fractured neck of femur": (["a fall at home", "hip pain after a fall"], ["shortened and rotated leg", "fracture on the hip film"], ["nerve block", "surgery on the next list", "physiotherapy"],
                                ["paracetamol", "calcium and vitamin D"], False),
    "atrial fibrillation": (["palpitations", "dizziness"], ["irregular pulse", "AF on ECG", "normal troponin"], ["bisoprolol", "apixaban", "telemetry"], ["apixaban 5 mg BD", "bisoprolol 2.5 mg"], False),
    "diabetic foot ulcer": (["a weeping foot", "a painful toe"], ["ulcer over the great toe", "poor foot pulses", "HbA1c of 84"], ["IV co-amoxiclav", "wound care", "insulin sliding scale"],
                            ["co-amoxiclav for 7 days", "review in the foot clinic"], True),
}
KINDS = {
    "admission": "{age} year old {sex} admitted via {route} with {complaint} for {span}. Hx of {history}. {allergy}. On examination {finding}[ and {finding2}|]. {obs} "
                 "Impression: {illness}. Plan: {treatment}, {treatment2}, [bloods in the morning|repeat obs four-hourly|senior review]{vte}.",
    "round": "[Ward round|WR|Consultant round], day {day}. {illness}. [Slept well|Comfortable|Feels {better}|Tired but {better}]. {obs} {finding_now}. Plan: [continue {treatment}|{treatment} to stop|switch to {home}], "
             "[mobilise with physio|chase bloods|home tomorrow if well|social work to see].",
    "nursing": "[Nursing note|Nurse {nurse}|Night shift]: {Patient} [settled|awake at times|comfortable] [overnight|this shift]. {obs} [Eating and drinking|Needs help with meals|Nil by mouth from midnight]. "
               "{treatment_given} given as charted. [Pressure areas intact|Skin checked, intact|Mobilised to the chair]. [Bowels open|No concerns raised by family|Call bell in reach].",
    "discharge": "Discharge summary. {age} year old {sex}, {illness}, in hospital for {stay} days. Treated with {treatment} and {treatment2}. {course}. TTO: {home}. "
                 "Follow-up: [GP in one week|clinic in six weeks|none needed|bloods at the GP in ten days]. {safety}.",
}
SLOTS = {
    "route": ["A&E", "the GP", "ambulance", "the clinic"], "span": ["two days", "three days", "a week", "24 hours", "five days"],
    "history": ["hypertension", "type 2 diabetes", "asthma", "CKD 3", "ischaemic heart disease", "osteoarthritis", "nil of note", "previous stroke"],
    "allergy": ["NKDA", "Allergic to trimethoprim (rash)", "No known allergies", "NKDA"], "vte": [", VTE prophylaxis", "", ""],
    "better": ["better", "much better", "a little better", "no better"], "nurse": ["Okafor", "Lund", "Reyes", "Hart", "Banik"],
    "finding_now": ["Chest clearer", "Bloods improving", "CRP falling", "Appetite back", "No new findings", "Renal function stable"],
    "course": ["Made a good recovery", "Improved steadily", "Slow to mobilise but safe on stairs", "Recovery without complications"],
    "safety": ["To return if worse", "Advised to stop smoking", "Advised on fluids", "Family aware", "To call the ward with questions"],
}


def observations(fever, rng):
    """A line of vital signs that fits the illness."""
    temperature = rng.uniform(37.9, 39.4) if fever else rng.uniform(36.2, 37.3)
    pulse = rng.randrange(92, 121) if fever else rng.randrange(64, 98)
    return (f"Obs: T {temperature:.1f}, HR {pulse}, BP {rng.randrange(98, 165)}/{rng.randrange(55, 92)}, RR {rng.randrange(20, 27) if fever else rng.randrange(14, 21)}, "
            f"sats {rng.randrange(89, 96) if fever else rng.randrange(94, 100)}% {rng.choice(('on air', 'on 2 L'))}.")


def note(rng):
    kind, illness, sex = rng.choice(list(KINDS)), rng.choice(list(ILLNESSES)), rng.choice(("man", "woman"))
    complaints, findings, treatments, home, fever = ILLNESSES[illness]
    finding, treatment = rng.sample(findings, 2), rng.sample(treatments, 2)
    day = rng.randrange(2, 8)
    values = {"age": str(rng.randrange(24, 94)), "sex": sex, "illness": illness if kind != "round" else illness[0].upper() + illness[1:], "complaint": rng.choice(complaints),
              "finding": finding[0], "finding2": finding[1], "treatment": treatment[0], "treatment2": treatment[1], "home": rng.choice(home),
              "treatment_given": treatment[0][0].upper() + treatment[0][1:], "Patient": f"{rng.choice(('Mr', 'Mrs'))} {rng.choice('ABCDEFGHJKLMNPRSTW')}", "day": str(day), "stay": str(day + 1),
              # A fever is gone after the first days of treatment.
              "obs": observations(fever and (kind == "admission" or day < 4), rng)}
    slots = SLOTS | {name: (lambda _, value=value: value) for name, value in values.items()}
    return {"text": expand(KINDS[kind], rng, slots), "kind": kind}


def files():
    return drawn_parts(note, random.Random(SEED), ROWS, "text")
