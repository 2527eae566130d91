"""Goldens of the text overlap metrics: what rouge-score, sacrebleu and the SQuAD v2 script make of a few texts.

They need an environment of their own (scripts/reference_env.sh overlap): the SQuAD script is that of transformers 4, which
transformers 5 dropped.
"""

import itertools
import json
import logging
from pathlib import Path
from types import SimpleNamespace

from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer, tokenize
from sacrebleu.metrics import BLEU, CHRF
from transformers.data.metrics import squad_metrics

# (prediction, references): two references each where there are any to choose from, as a corpus score needs.
TEXTS = [
    ("The cat sat on the mat.", ["The cat sat on the mat.", "A cat was sitting on the mat."]),
    ("The cats are sitting on the mats", ["The cat sat on a mat.", "There is a cat on the mat."]),
    ("the the the the the the the", ["The cat is on the mat.", "There is a cat on the mat."]),
    ("In 1990-91 it cost $1,000.50 (about 3.5%).", ["It cost $1,000.5 in 1990-91 (about 3,5 %).", "In 1990 it cost 1,000."]),
    ("first line of it\nthe second line\n\nthird", ["the second line\nline of the first", "third first\nof it line"]),
    ("&quot;A &amp;lt; B&quot; is <skipped>well-\nknown - isn't it?", ['"A < B" is wellknown, is it not?', '"A &lt; B" is well-known']),
    ("“Naïve” ΟΔΟΣ, 東京タワー — ½ €5. 😀 Ⅷ", ["Naïve οδος 東京 タワー 5 €. 😀", "«naive» ΟΔΟΣ — 1/2 €5"]),
    ("x\u00a0y\u3000z\u2028w\u0085v\x1cu İ K e\u0301", ["x y z w i̇ k é", "X Y Z W I K e\u0301"]),
    ("", ["not empty", "not"]),
    ("something", ["", ""]),
    ("", ["", ""]),
    ("... !?", ["...", "?!"]),
    ("Patients were treated surgically; generalizations proceed.", ["The patient's surgical treatment generalizes.", "Surgery proceeded."]),
    ("a b c d", ["a b d c", "d c b a"]),
    ("w x y z a b", ["a b w x y z", "z y x w b a"]),
    ("c a b\nd a", ["b d\nb c", "e"]),  # which common subsequence is taken decides
    ("c b\nb d", ["a c\na c b b", "e"]),  # and no word counts more often than it was predicted
    ("one two three", ["one two three four", "one two"]),  # two references equally near in length
]

STEMS = """caresses ponies ties caress cats dies skies feed agreed plastered bled died motoring sing conflated troubled sized hopping
tanned falling hissing fizzed failing filing happy sky enjoy say relational conditional rational valenci hesitanci digitizer
conformabli radicalli differentli vileli analogousli vietnamization predication operator feudalism decisiveness hopefulness callousness
formaliti sensitiviti sensibiliti hopefulli radicallialli incredibly triplicate formative formalize electriciti electrical hopeful goodness revival
allowance inference airliner gyroscopic adjustable defensible irritant replacement adjustment dependent adoption champion homologou
communism activate angulariti homologous effective bowdlerize probate rate cease controll roll dying lying tying news inning outings
canning howe proceed exceed succeed geology archaeology theology yyyy syzygy bouyed x1ing 2ed apology added egging aging tied eying
""".split()

SQUAD = [
    ("the Denver Broncos", ["Denver Broncos", "The Broncos"]), ("in 1990-91!", ["1990–91", "1990-91"]),
    ("a cat and a dog", ["the dog and cat"]), ("", []), ("something", []), ("", ["gold"]), ("The", []), ("the", ["a"]),
    ("ΟΔΟΣ ΣΟΦΙΑΣ", ["οδος σοφιας", "οδός"]), ("İstanbul’s the-atre", ["i̇stanbul’s theatre"]), ("“the” — end", ["“ ” — end"]),
    ("a\u0301 b", ["\u0301 b"]), ("x\u00a0y\u3000z\u2028w", ["x y z w"]), ("Straße", ["STRASSE", "straße"]), ("one two two", ["two two three", "two"]),
    ("under_the_line", ["underline"]), ("an", ["An"]), ("1 a2 the3", ["1 a2"]), ("don't", ["dont"]), ("ΑΣ. ΑΣ'Α", ["ας ασα"]),
    ("ΑΣª ⅧΣ ΑΣ‘Α", ["ασª ⅷς ας‘α"]),
]

PREDICTED = [prediction for prediction, _ in TEXTS]
STREAMS = list(zip(*(references for _, references in TEXTS)))  # sacrebleu wants [reference][text]


def rouge(stem):
    kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = rouge_scorer.RougeScorer(kinds, use_stemmer=stem)
    scores = [scorer.score_multi(references, prediction) for prediction, references in TEXTS]
    stemmer = PorterStemmer() if stem else None
    return {"stem": stem, "words": [tokenize.tokenize(text, stemmer) for text in PREDICTED],
            "scores": [[list(map(float, score[kind])) for kind in kinds] for score in scores]}


def bleu(tokenizer, smoothing, value=None, lowercase=False, effective_order=False):
    metric = BLEU(tokenize=tokenizer, smooth_method=smoothing, smooth_value=value, lowercase=lowercase, effective_order=effective_order)
    corpus = metric.corpus_score(PREDICTED, STREAMS)
    return {"tokenizer": tokenizer, "smoothing": smoothing, "value": value, "lowercase": lowercase, "effective_order": effective_order,
            "score": corpus.score, "precisions": corpus.precisions, "brevity_penalty": corpus.bp,
            "lengths": [corpus.sys_len, corpus.ref_len],
            "sentences": [metric.sentence_score(prediction, references).score for prediction, references in TEXTS]}


def bleu_words(tokenizer):
    return [BLEU(tokenize=tokenizer).tokenizer(text.rstrip()).split() for text in PREDICTED]


def chrf(word_order, eps_smoothing, **options):
    metric = CHRF(word_order=word_order, eps_smoothing=eps_smoothing, **options)
    return {"word_order": word_order, "eps_smoothing": eps_smoothing, **options, "score": metric.corpus_score(PREDICTED, STREAMS).score,
            "sentences": [metric.sentence_score(prediction, references).score for prediction, references in TEXTS]}


def answers():
    questions = [SimpleNamespace(qas_id=i, answers=[{"text": text} for text in gold]) for i, (_, gold) in enumerate(SQUAD)]
    predicted = {i: prediction for i, (prediction, _) in enumerate(SQUAD)}
    exact, f1 = squad_metrics.get_raw_scores(questions, predicted)
    summary = squad_metrics.squad_evaluate(questions, predicted)
    rows = [{"predicted": p, "gold": gold, "normalized": squad_metrics.normalize_answer(p), "exact_match": exact[i], "f1": f1[i]}
            for i, (p, gold) in enumerate(SQUAD)]
    names = ("f1", "HasAns_exact", "HasAns_f1", "NoAns_exact", "NoAns_f1")
    return {"rows": rows, "values": {"exact_match": summary["exact"], **{name: summary[name] for name in names}}}


def write(folder: Path):
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it advises against what is tested here on purpose
    stemmer = PorterStemmer()
    smoothings = [bleu(t, s) for t, s in itertools.product(("none", "13a", "intl"), ("none", "floor", "add-k", "exp"))]
    cases = {
        "texts": [{"predicted": prediction, "references": references} for prediction, references in TEXTS],
        "stems": {word: stemmer.stem(word) for word in STEMS},
        "rouge": [rouge(False), rouge(True)],
        "bleu": smoothings + [bleu("13a", "exp", effective_order=True), bleu("intl", "exp", lowercase=True, effective_order=True),
                              bleu("13a", "floor", value=0.01, effective_order=True), bleu("13a", "add-k", value=2.5)],
        "bleu_words": {tokenizer: bleu_words(tokenizer) for tokenizer in ("none", "13a", "intl")},
        "chrf": [chrf(words, eps) for words, eps in itertools.product((0, 2), (False, True))]
                + [chrf(2, False, lowercase=True), chrf(0, False, whitespace=True), chrf(1, False, char_order=4, beta=3)],
        "answers": answers(),
    }
    for name, case in cases.items():
        text = json.dumps(case, ensure_ascii=False, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
