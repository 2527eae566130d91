"""The phrase grammar of the triage notes. Weights are made up for a plausible data set, not taken from any guideline."""

SLOTS = {
    "time": ["2/7", "3/7", "since this morning", "for 6 hours", "since last night", "1/52", "for about an hour", "on and off for 4 days"],
    "remark": ["[Wife|Son|Neighbour|Carer] [with pt|present]", "Walked in, [comfortable|chatting|looks tired]", "Arrived by ambulance, [GTN|paracetamol|nil] given en route",
               "GP letter with pt", "Lives alone", "[Anxious|Tearful] at triage", "Bloods and ECG [sent|done]", "NKDA", "Pain score {pain}/10", "Seen here [last month|2/52 ago] for [something else|the same]"],
    "pain": ["2", "3", "4", "5", "6", "7", "8"],
}

OPENERS = [
    "{age}{sex} c/o {complaint} {time}",
    "{age} y/o {sex} presents with {complaint} {time}",
    "{age}yo {sex}, {complaint} {time}",
    "Pt ({age}{sex}) [brought in by|BIB] [ambulance|family|police] with {complaint} {time}",
    "{complaint} {time}, {age} year old {sex}",
    "{age}{sex} referred by GP: {complaint} {time}",
]

NEGATIONS = ["denies {x}", "no {x}", "[nil|negative for] {x}", "without {x}", "no {x} this time", "[pt|family] [denies|report no] {x}", "asked re {x}: none",
             "{x} not [seen|present]"]
PAST = ["had {x} last year, [none now|nil today]", "{x} earlier, now settled", "[wife|mother] worried about {x} but [pt denies|none seen]", "{x} resolved [en route|before arrival]",
        "advised to return if {x}"]

# name: (spellings, weight)
CHRONIC = {
    "hypertension": (["HTN", "hypertension", "high BP on ramipril"], 0.05),
    "diabetes": (["T2DM", "diabetes on insulin", "type 2 diabetic"], 0.2),
    "copd": (["COPD", "COPD on home nebs"], 0.35),
    "heart failure": (["CCF", "heart failure, EF 35%"], 0.45),
    "asthma": (["asthma", "asthma, prev steroids"], 0.1),
    "ckd": (["CKD 3", "CKD stage 4"], 0.3),
    "af": (["AF on apixaban", "AF"], 0.2),
    "cancer": (["breast ca on chemo", "colon ca 2023", "lymphoma, chemo last wk"], 0.6),
    "depression": (["depression", "anxiety"], 0.0),
    "migraine": (["migraine"], 0.0),
}

GENERAL = [("fever", 0.45), ("rigors", 0.8), ("vomiting", 0.35), ("dizziness", 0.25), ("LOC", 0.9), ("new confusion", 1.1), ("poor oral intake", 0.35), ("clammy skin", 0.8),
           ("cough", 0.05), ("sore throat", -0.1), ("poor sleep", -0.1), ("headache", 0.1), ("fatigue", 0.05), ("muscle aches", -0.05)]

COMPLAINTS = [
    {"names": ["chest pain", "CP", "central chest discomfort", "tight chest"], "base": 0.5,
     "findings": [("pain radiating to the L arm", 1.1), ("sweating", 0.8), ("SOB at rest", 1.0), ("ST changes on ECG", 1.8), ("tenderness on palpation", -0.6), ("pain on deep breath", 0.1), ("palpitations", 0.3)]},
    {"names": ["shortness of breath", "SOB", "breathlessness", "difficulty breathing"], "base": 0.5,
     "findings": [("wheeze", 0.5), ("accessory muscle use", 1.3), ("inability to finish sentences", 1.6), ("ankle swelling", 0.5), ("haemoptysis", 1.0), ("orthopnoea", 0.7), ("relief with own inhaler", -0.7)]},
    {"names": ["abdominal pain", "abdo pain", "tummy pain", "RIF pain"], "base": 0.4,
     "findings": [("guarding", 1.1), ("rigid abdomen", 1.7), ("N/V", 0.3), ("melaena", 1.3), ("dysuria", 0.1), ("bowels not open", 0.5), ("pain after meals", -0.1)]},
    {"names": ["headache", "severe headache", "HA"], "base": 0.2,
     "findings": [("sudden onset", 1.2), ("neck stiffness", 1.4), ("photophobia", 0.5), ("visual disturbance", 0.6), ("unilateral weakness", 1.9), ("usual migraine aura", -0.6), ("relief with ibuprofen", -0.5)]},
    {"names": ["fall", "mechanical fall", "unwitnessed fall at home", "fell on stairs"], "base": 0.4,
     "findings": [("head strike", 0.7), ("anticoagulant use", 0.6), ("hip deformity", 1.4), ("inability to weight bear", 0.9), ("superficial graze", -0.6), ("long lie", 0.9), ("wrist pain", 0.0)]},
    {"names": ["fever", "feeling hot and shivery", "query sepsis", "temp at home"], "base": 0.7,
     "findings": [("mottled skin", 1.6), ("non-blanching rash", 1.6), ("productive cough", 0.3), ("dysuria", 0.1), ("reduced urine output", 0.9), ("drowsiness", 1.0), ("runny nose", -0.5)]},
    {"names": ["collapse", "syncope", "blackout", "fainted"], "base": 0.5,
     "findings": [("exertional onset", 1.1), ("prodrome with nausea", -0.4), ("tongue bite", 0.7), ("incontinence", 0.5), ("palpitations before", 0.7), ("injury from the fall", 0.4), ("full recovery in minutes", -0.5)]},
    {"names": ["allergic reaction", "rash after nuts", "bee sting", "swelling after new tablets"], "base": 0.3,
     "findings": [("lip swelling", 0.5), ("tongue swelling", 1.3), ("stridor", 2.2), ("widespread urticaria", 0.3), ("wheeze", 0.9), ("throat tightness", 0.8), ("itch", 0.0)]},
    {"names": ["back pain", "low back pain", "flank pain"], "base": 0.0,
     "findings": [("saddle numbness", 1.7), ("leg weakness", 1.2), ("urinary retention", 1.3), ("haematuria", 0.5), ("pain on lifting", -0.4), ("sciatica", 0.0), ("pulsatile abdominal mass", 2.4)]},
    {"names": ["high blood sugar", "BM reading HI", "query DKA", "thirst and polyuria"], "base": 0.8,
     "findings": [("ketones 4.8", 1.4), ("deep sighing breathing", 1.5), ("abdominal cramps", 0.3), ("missed insulin", 0.4), ("foot ulcer", 0.5), ("drowsiness", 1.2), ("recent steroid course", -0.8)]},
]
