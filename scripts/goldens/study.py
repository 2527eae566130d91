"""Goldens of the study module: label probabilities of prompts, computed text by text with Transformers.

prompting.json: a list of {"name", "model" (a folder of the project, or a golden model), "vocabulary" (of a WordPiece tokenizer for golden models), "pool", "rows"
([{"text", "label"}]), "set" (a prompt set), "prompting" (settings), "prompts" (the text of each row's prompt), "log_probabilities" [rows][labels]}. Examples are
all rows of the pool in the order of their labels, so that no draw is involved.

tuning.json: the same without probabilities, and of a first step on the rows of the pool {"loss", "gradient_norm"}.
"""

import json
from pathlib import Path

import tokenizers
import torch
import transformers as hf

torch.set_num_threads(1)
hf.logging.set_verbosity_error()

ROOT = Path(__file__).resolve().parents[2]
LABELS = ["card", "loan", "transfer_abroad"]
WORDS = {"card": ["card", "bank card"], "loan": ["loan"], "transfer_abroad": ["transfer abroad"]}
POOL = [{"text": "My card was swallowed by the machine.", "label": "card"}, {"text": "How much may I borrow?", "label": "loan"},
        {"text": "Can I send money to Spain?", "label": "transfer_abroad"}]
ROWS = [{"text": "The terminal refuses my card.", "label": "card"}, {"text": "What is the rate for a loan of 5000?", "label": "loan"},
        {"text": "A payment to my sister in Peru", "label": "transfer_abroad"}, {"text": "I lost it.", "label": "card"}]
PLAIN = {"header": "{{ instruction }}", "instruction": "Name the topic.", "input": "Message: {{ text }}\nTopic:", "answer": " {{ answer }}", "separator": "\n\n", "label_words": WORDS}


def texts_of(case, row, examples):
    """[prompt], with an answer behind each example."""
    show = lambda text: case["set"]["input"].replace("{{ text }}", text)
    said = [show(example["text"]) + " " + WORDS[example["label"]][0] for example in examples]
    return case["set"]["separator"].join([case["set"]["instruction"], *said, show(row["text"])])


def chat_of(tokenizer, case, row, examples):
    turns = [{"role": "system", "content": case["set"]["instruction"]}]
    for example in examples:
        turns += [{"role": "user", "content": example["text"]}, {"role": "assistant", "content": WORDS[example["label"]][0]}]
    return tokenizer.apply_chat_template(turns + [{"role": "user", "content": row["text"]}], add_generation_prompt=True, tokenize=False)


def word_log_probability(model, tokenizer, prompt, answer, score):
    ids, begin = tokenizer(prompt + answer).input_ids, len(tokenizer(prompt).input_ids)
    with torch.no_grad():
        log_p = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), dim=-1)
    total = sum(float(log_p[i - 1, ids[i]]) for i in range(begin, len(ids)))
    return total / {"sum": 1, "mean": len(ids) - begin, "per_character": len(answer)}[score]


def label_scores(words_of_label):
    return torch.stack([torch.logsumexp(torch.tensor(words, dtype=torch.double), 0) for words in words_of_label])


def causal_case(name, score="sum", k=0, calibrate=False, chat=False):
    folder = ROOT / "data" / "tiny-gpt"
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    model = hf.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    case = dict(name=name, model="data/tiny-gpt", pool=POOL, rows=ROWS, set=dict(PLAIN, input="{{ text }}", chat=True) if chat else dict(PLAIN),
                prompting=dict(score=score, calibrate=calibrate, examples=dict(k=k, order="by_label")))
    examples = POOL[:k]

    def scores_of(row):
        prompt = chat_of(tokenizer, case, row, examples) if chat else texts_of(case, row, examples)
        before = "" if chat else " "
        return prompt, label_scores([[word_log_probability(model, tokenizer, prompt, before + word, score) for word in WORDS[label]] for label in LABELS])

    case["prompts"], case["log_probabilities"] = [], []
    prior = torch.stack([torch.softmax(scores_of({"text": text})[1], 0) for text in ("N/A", "[MASK]", "")]).mean(0) if calibrate else 1.0
    for row in ROWS:
        prompt, scores = scores_of(row)
        case["prompts"].append(prompt)
        probabilities = torch.softmax(scores, 0) / prior
        case["log_probabilities"].append((probabilities / probabilities.sum()).log().tolist())
    return case


def gap_case():
    name = "bert_masked_lm"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "it", "was", ".", "good", "bad", "no", "##od", "##ne", "food", "film", "the", "a", "so", "very", "slow"]
    vocabulary += [f"word{i}" for i in range(32 - len(vocabulary))]
    tokenizer = hf.BertTokenizer(vocab={token: i for i, token in enumerate(vocabulary)})
    model = hf.AutoModelForMaskedLM.from_pretrained(ROOT / "tests/goldens/models" / name, attn_implementation="eager", dtype=torch.float32).eval()
    words = {"no": ["bad", "none"], "yes": ["good"]}
    case = dict(name="gap", model=name, vocabulary=vocabulary, pool=[{"text": "the film", "label": "yes"}, {"text": "slow", "label": "no"}],
                rows=[{"text": "the food", "label": "yes"}, {"text": "so slow a film", "label": "no"}],
                set=dict(input="{{ text }} it was {{ mask }}.", label_words=words), prompting=dict(examples=dict(k=0)))
    case["prompts"], case["log_probabilities"] = [], []
    for row in case["rows"]:
        scores = []
        for label in sorted(words):
            of_words = []
            for word in words[label]:
                tokens = tokenizer(word, add_special_tokens=False).input_ids
                ids = tokenizer(row["text"] + " it was " + "[MASK]" * len(tokens) + ".").input_ids
                with torch.no_grad():
                    log_p = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), dim=-1)
                masks = [i for i, token in enumerate(ids) if token == 4]
                of_words.append(sum(float(log_p[mask, token]) for mask, token in zip(masks, tokens, strict=True)))
            scores.append(of_words)
        case["prompts"].append(row["text"] + " it was [MASK].")
        case["log_probabilities"].append(torch.log_softmax(label_scores(scores), 0).tolist())
    return case


def step_of(model, loss):
    """Loss and gradient norm of a first step, each parameter once."""
    loss.backward()
    return dict(loss=float(loss), gradient_norm=float(torch.sqrt(sum(p.grad.double().square().sum() for p in model.parameters() if p.grad is not None))))


def tuned_behind():
    """The tokens of the row's own word behind its prompt, as in ordinary fine-tuning with the prompt masked."""
    folder = ROOT / "data" / "tiny-gpt"
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    model = hf.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    case = dict(name="behind", model="data/tiny-gpt", pool=ROWS, rows=POOL, set=dict(PLAIN), prompting=dict())
    total, tokens = 0.0, 0
    for row in ROWS:
        prompt = texts_of(case, row, [])
        ids, begin = tokenizer(prompt + " " + WORDS[row["label"]][0]).input_ids, len(tokenizer(prompt).input_ids)
        labels = [-100] * begin + ids[begin:]
        total = total + model(torch.tensor([ids]), labels=torch.tensor([labels])).loss * (len(ids) - begin)
        tokens += len(ids) - begin
    return case | step_of(model, total / tokens)


def tuned_gap(name, words):
    """PET's loss: cross-entropy over the labels, of words of one token by the logits of their tokens in the mask."""
    case = gap_case()
    case.pop("log_probabilities"), case.pop("prompts")
    case.update(name=name, pool=case["rows"], rows=case["pool"], set=dict(case["set"], label_words=words))
    tokenizer = hf.BertTokenizer(vocab={token: i for i, token in enumerate(case["vocabulary"])})
    model = hf.AutoModelForMaskedLM.from_pretrained(ROOT / "tests/goldens/models" / case["model"], attn_implementation="eager", dtype=torch.float32).eval()
    losses = []
    for row in case["pool"]:
        scores = []
        for label in sorted(words):
            of_words = []
            for word in words[label]:
                tokens = tokenizer(word, add_special_tokens=False).input_ids
                ids = tokenizer(row["text"] + " it was " + "[MASK]" * len(tokens) + ".").input_ids
                masks = [i for i, token in enumerate(ids) if token == 4]
                logits = model(torch.tensor([ids])).logits[0]
                if all(len(tokenizer(other, add_special_tokens=False).input_ids) == 1 for all_of in words.values() for other in all_of):
                    of_words.append(logits[masks[0], tokens[0]])
                else:
                    log_p = torch.log_softmax(logits, dim=-1)
                    of_words.append(sum(log_p[mask, token] for mask, token in zip(masks, tokens, strict=True)))
            scores.append(torch.logsumexp(torch.stack(of_words), 0))
        losses.append(torch.nn.functional.cross_entropy(torch.stack(scores)[None], torch.tensor([sorted(words).index(row["label"])])))
    return case | step_of(model, torch.stack(losses).mean())


def write(folder):
    tuned = [tuned_behind(), tuned_gap("one token", {"no": ["bad"], "yes": ["good"]}), tuned_gap("several tokens", {"no": ["bad", "none"], "yes": ["good"]})]
    lines = ",\n".join(json.dumps(case) for case in tuned)
    (folder / "tuning.json").write_text(f"[\n{lines}\n]\n")
    cases = [causal_case("plain"), causal_case("examples, mean", "mean", 3), causal_case("calibrated", k=3, calibrate=True),
             causal_case("per character", "per_character"), causal_case("chat", k=3, chat=True), gap_case()]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (folder / "prompting.json").write_text(f"[\n{lines}\n]\n")
