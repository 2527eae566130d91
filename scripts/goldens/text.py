"""Goldens of the text module: tiny BPE tokenizers with every part, and what the `tokenizers` library and Transformers make of them."""

import json
import os
import re
import tempfile
from collections import Counter
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CORPUS = ["Hello there, it's nice to see the cat and the hat. " * 4, "they're here; we've seen them, haven't we?" * 3, "naïve café 你好 你好 🤗 1234 5678",
          "the theatre then there other mother", "def main():\n    return 0\n" * 3]
TEXTS = ["Hello there,  it's 5 o'clock\n\n\tI'LL see 1234 cats!", "naïve ﬁ 你好 🤗 e\u0301q\u0323\u0307 \u1100\u1161", " <sep>the <mask> the\u00a0hat ",
         "'ſ 'S don't\r\n x\u2028 ", "▁the▁▁ cat<0x41> ǅ٣Ⅷ²かー漢 a_b-c...?", ""]
PAIR = ("the cat", " and <mask>hat")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|"
         r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")


def train(model, pre_tokenizer, corpus, **trainer):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(show_progress=False, **trainer))
    return json.loads(tokenizer.to_str())["model"]


def train_words(corpus, special, prefix="", suffix="", merges=40):
    """BPE with marked beginnings or ends of words. The library's trainer numbers such tokens in the order of a hash table."""
    counts = Counter(re.findall(r"\w+|[^\w\s]+", " ".join(corpus)))
    words = {w: [(prefix if i else "") + c + (suffix if i + 1 == len(w) else "") for i, c in enumerate(w)] for w in counts}
    vocab = special + sorted({symbol for symbols in words.values() for symbol in symbols})
    made = []
    for _ in range(merges):
        pairs = Counter()
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        first, second = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merged = first + second.removeprefix(prefix)
        made.append([first, second])
        vocab += [merged] if merged not in vocab else []
        for word, symbols in words.items():
            for i in range(len(symbols) - 2, -1, -1):
                if symbols[i:i + 2] == [first, second]:
                    symbols[i:i + 2] = [merged]
    return {"type": "BPE", "unk_token": special[0] if special else None, "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix,
            "vocab": {token: i for i, token in enumerate(vocab)}, "merges": made}


def trained_models():
    ascii = [text for text in CORPUS if text.isascii()]  # of the other models, so that they meet unknown characters
    byte_level = train(models.BPE(), pre_tokenizers.ByteLevel(add_prefix_space=False), CORPUS, vocab_size=330,
                       initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<s>", "</s>", "<pad>"])
    fallback = train(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True), pre_tokenizers.Metaspace(prepend_scheme="never", split=False),
                     ascii, vocab_size=330, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)])
    words = train_words(ascii, ["<unk>"], suffix="</w>")
    pieces = train_words(ascii, [], prefix="##")
    return {"bytes": byte_level, "fallback": fallback, "words": words, "pieces": pieces}


def as_old_file(model):
    """As releases before 2022 wrote it: merges as strings, no type."""
    return {"vocab": model["vocab"], "merges": ["#version: 0.2"] + [" ".join(pair) for pair in model["merges"]]}


def byte_level(prefix=False, trim=True, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(key, *parts):
    return {"type": "Sequence", key: list(parts)}


def before_bytes(*parts):
    return sequence("pretokenizers", *parts, byte_level(regex=False))


def added(content, **flags):
    return {"id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


def metaspace(scheme, **more):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True, **more}


def template(begin, id):
    special = {"SpecialToken": {"id": begin, "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [special, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [special, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {begin: {"id": begin, "ids": [id], "tokens": [begin]}}}


def roberta(trim=True, prefix=False):
    return {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0], "trim_offsets": trim, "add_prefix_space": prefix}


def cases():
    """(name, model and what is different in it, parts)"""
    decode = {"decoder": byte_level()}
    marks = [added("<s>"), added("</s>"), added("<sep>"), added("<mask>", lstrip=True)]
    old_spm = sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
    spm_decoder = sequence("decoders", {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                           {"type": "Strip", "content": " ", "start": 1, "stop": 0})
    spm_tokens = [added("<unk>"), added("<s>"), added("</s>"), added("<sep>", rstrip=True)]
    rows = [
        ("GPT-2", "bytes", dict(decode, pre_tokenizer=byte_level(), post_processor=byte_level(trim=False), added_tokens=[added("<mask>")])),
        ("GPT-2, trimmed", "bytes", dict(decode, pre_tokenizer=byte_level(), post_processor=byte_level(), added_tokens=marks)),
        ("GPT-2, old file", "bytes as old file", dict(decode, pre_tokenizer=byte_level())),
        ("a prefix space", "bytes", dict(decode, pre_tokenizer=byte_level(prefix=True), post_processor=byte_level(prefix=True), added_tokens=marks)),
        ("RoBERTa", "bytes", dict(decode, pre_tokenizer=byte_level(), post_processor=roberta(), added_tokens=marks)),
        ("RoBERTa, a prefix space", "bytes", dict(decode, pre_tokenizer=byte_level(prefix=True), post_processor=roberta(prefix=True), added_tokens=marks)),
        ("GPT-NeoX", "bytes", dict(decode, normalizer={"type": "NFC"}, pre_tokenizer=byte_level(),
                                   added_tokens=[added("   ", normalized=True, special=False), added("  ", special=False)])),
        ("Llama 3", "bytes ignore_merges", dict(decode, pre_tokenizer=before_bytes(split({"Regex": LLAMA3})), added_tokens=marks[:1],
                                  post_processor=sequence("processors", byte_level(prefix=True), template("<s>", 0)))),
        ("Qwen 2", "bytes", dict(decode, normalizer={"type": "NFC"}, pre_tokenizer=before_bytes(split({"Regex": QWEN2})))),
        ("o200k", "bytes", dict(decode, pre_tokenizer=before_bytes(split({"Regex": O200K})))),
        ("SmolLM", "bytes", dict(decode, pre_tokenizer=sequence("pretokenizers", {"type": "Digits", "individual_digits": True}, byte_level()))),
        ("digits together", "bytes", dict(decode, pre_tokenizer=before_bytes({"type": "Digits", "individual_digits": False}))),
        ("scripts", "bytes", dict(decode, pre_tokenizer=before_bytes({"type": "UnicodeScripts"}))),
        ("punctuation", "bytes", dict(decode, pre_tokenizer=before_bytes({"type": "Punctuation", "behavior": "Contiguous"}))),
        ("a delimiter", "bytes", dict(decode, pre_tokenizer=before_bytes({"type": "CharDelimiterSplit", "delimiter": "_"}))),
        ("fixed length", "bytes", dict(decode, pre_tokenizer=before_bytes({"type": "FixedLength", "length": 3}))),
        ("split: removed", "bytes", dict(decode, pre_tokenizer=before_bytes(split({"Regex": r"\s+"}, "Removed")))),
        ("split: inverted", "bytes", dict(decode, pre_tokenizer=before_bytes(split({"Regex": r"\w+"}, "Removed", True)))),
        ("split: merged with next", "bytes", dict(decode, pre_tokenizer=before_bytes(split({"String": "e"}, "MergedWithNext")))),
        ("split: merged with previous", "bytes", dict(decode, pre_tokenizer=before_bytes(split({"Regex": "[aeiou]"}, "MergedWithPrevious")))),
        ("split: contiguous", "bytes", dict(decode, pre_tokenizer=before_bytes(split({"Regex": "[^a-z]"}, "Contiguous")))),
        ("bytes as normaliser", "bytes", dict(decode, normalizer=sequence("normalizers", {"type": "NFKC"}, {"type": "ByteLevel"}), pre_tokenizer=None,
                                              post_processor=byte_level())),
        ("bytes twice", "bytes", dict(decode, pre_tokenizer=sequence("pretokenizers", byte_level(), byte_level(regex=False)))),
        ("normalised tokens", "bytes", dict(decode, normalizer={"type": "Lowercase"}, pre_tokenizer=byte_level(), post_processor=byte_level(),
                                            added_tokens=[added("Hat", normalized=True), added("CAT", single_word=True, normalized=True),
                                                          added(" the ", normalized=True, lstrip=True, special=False)])),
        ("Llama 2, old", "fallback", {"normalizer": old_spm, "decoder": spm_decoder, "post_processor": template("<s>", 1), "added_tokens": spm_tokens}),
        ("Llama 2", "fallback", {"pre_tokenizer": metaspace("first", split=False), "decoder": spm_decoder, "post_processor": template("<s>", 1),
                                 "added_tokens": spm_tokens}),
        ("Gemma", "fallback", {"normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
                               "pre_tokenizer": split({"String": " "}, "MergedWithPrevious"),
                               "decoder": sequence("decoders", {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                                                   {"type": "Fuse"})}),
        ("metaspace", "fallback", {"pre_tokenizer": metaspace("always"), "decoder": metaspace("always"), "added_tokens": spm_tokens}),
        ("metaspace, nothing in front", "fallback", {"pre_tokenizer": metaspace("never"), "decoder": metaspace("never")}),
        ("metaspace behind blanks", "fallback", {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": False},
                                                 "pre_tokenizer": sequence("pretokenizers", {"type": "WhitespaceSplit"}, metaspace("first"))}),
        ("word ends", "words", {"pre_tokenizer": {"type": "Whitespace"}, "decoder": {"type": "BPEDecoder", "suffix": "</w>"}}),
        ("word ends, unknown fused", "words fuse_unk", {"pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": {"type": "BPEDecoder", "suffix": "</w>"}}),
        ("continuing pieces, unknown dropped", "pieces", {"pre_tokenizer": {"type": "Whitespace"},
                                                          "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True}}),
        ("decoded as CTC", "words", {"pre_tokenizer": {"type": "Whitespace"},
                                     "decoder": {"type": "CTC", "pad_token": "<unk>", "word_delimiter_token": "e", "cleanup": True}}),
        ("decoded as CTC, raw", "words", {"pre_tokenizer": {"type": "Whitespace"},
                                          "decoder": {"type": "CTC", "pad_token": "h", "word_delimiter_token": "e", "cleanup": False}}),
    ]
    return rows


def build(model, parts):
    full = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, **parts, "model": model}
    return Tokenizer.from_str(json.dumps(full))


def fields(encoding):
    return {"ids": encoding.ids, "offsets": [x for pair in encoding.offsets for x in pair],
            "words": [-1 if w is None else w for w in encoding.word_ids]}


def row(tokenizer, text):
    encoding = tokenizer.encode(text)
    row = {"text": text, **fields(encoding), "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False)}
    if "<" in text:
        row |= {"tokens": encoding.tokens, "decoded_plain": tokenizer.decode(encoding.ids)}
    return row


def pair(tokenizer):
    encoding = tokenizer.encode(*PAIR)
    return {"texts": PAIR, **fields(encoding), "types": encoding.type_ids, "sequences": [-1 if s is None else s for s in encoding.sequence_ids]}


def tokenizer_case(name, key, trained, parts):
    base, _, change = key.partition(" ")
    model = as_old_file(trained[base]) if change == "as old file" else {**trained[base], **({change: True} if change else {})}
    tokenizer = build(model, parts)
    for token in parts.get("added_tokens", []):
        token["id"] = tokenizer.token_to_id(token["content"])
    # Which texts: pre-tokenisers show in two, added tokens in one more.
    texts = [TEXTS[0], TEXTS[4]] if len(parts) < 3 and base == "bytes" else TEXTS[1:4] if parts.get("added_tokens") else TEXTS
    case = {"name": name, "model": base, "change": change, "parts": parts, "rows": [row(tokenizer, text) for text in texts]}
    if parts.get("post_processor"):
        case["pair"] = pair(tokenizer)
        tokenizer.enable_truncation(6, stride=2)
        windows = tokenizer.encode(TEXTS[2])
        case["truncated"] = {"text": TEXTS[2], "windows": [fields(e) for e in [windows, *windows.overflowing]]}
    return case


# Folders without tokenizer.json: settings, config.json, further files.
MASK = {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "normalized": True, "single_word": False}
FOLDERS = [
    ("GPT-2 by its model type", None, {"model_type": "gpt2"}, {}),
    ("GPT-2 by its class", {"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": True, "pad_token": "<pad>", "add_bos_token": True,
                            "bos_token": "<s>", "eos_token": "</s>", "unk_token": "</s>", "model_max_length": 77}, None, {}),
    ("GPT-2 with new tokens", {"tokenizer_class": "GPT2Tokenizer", "pad_token": "[PAD]", "add_eos_token": True, "extra_special_tokens": ["<sep>"]}, None, {}),
    ("RoBERTa", {"model_max_length": 512}, {"model_type": "roberta"}, {}),
    ("RoBERTa, settings", {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True, "trim_offsets": False, "mask_token": MASK}, None, {}),
    ("RoBERTa, listed tokens", {"tokenizer_class": "RobertaTokenizer", "mask_token": "<mask>", "added_tokens_decoder": {
        "0": {k: v for k, v in dict(MASK, content="<s>", lstrip=False, special=False).items() if k != "__type"},
        "330": {k: v for k, v in dict(MASK, special=True, normalized=False).items() if k != "__type"},
        "331": {k: v for k, v in dict(MASK, content="the h", lstrip=False).items() if k != "__type"}}}, None, {}),
    ("RoBERTa, legacy files", {"tokenizer_class": "RobertaTokenizer"}, None,
     {"special_tokens_map.json": {"mask_token": dict(MASK, __type=None), "pad_token": "<pad>"}, "added_tokens.json": {"<sep>": 330}}),
    ("GPT-NeoX", None, {"model_type": "gpt_neox"}, {}),
    ("Qwen 2", {"tokenizer_class": "Qwen2Tokenizer", "additional_special_tokens": ["<sep>", "<mask>"]}, {"model_type": "qwen2"}, {}),
]


def folder_case(model, name, settings, config, files):
    from transformers import AutoTokenizer

    files = {file: {k: {a: b for a, b in v.items() if a != "__type"} if isinstance(v, dict) else v for k, v in content.items()}
             for file, content in files.items()}
    if settings is not None:
        files["tokenizer_config.json"] = settings
    if config is not None:
        files["config.json"] = config
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for file, content in {"vocab.json": model["vocab"], **files}.items():
            (folder / file).write_text(json.dumps(content), encoding="utf-8")
        (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, model["merges"])]) + "\n", encoding="utf-8")
        loaded = AutoTokenizer.from_pretrained(folder)
    limit = loaded.model_max_length
    return {"name": name, "files": files, "rows": [row(loaded.backend_tokenizer, text) for text in TEXTS[1:3]],
            "pair": pair(loaded.backend_tokenizer),
            "max_length": limit if limit < 1e9 else None,
            "roles": {role: loaded.convert_tokens_to_ids(token) for role, token in loaded.special_tokens_map.items() if isinstance(token, str)}}


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write(folder: Path):
    trained = trained_models()
    lines = [f"{dump(name)}:{dump(model)}" for name, model in trained.items()]
    (folder / "models.json").write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")
    tokenizers = [tokenizer_case(name, key, trained, parts) for name, key, parts in cases()]
    (folder / "tokenizers.json").write_text("[" + ",\n".join(map(dump, tokenizers)) + "]\n", encoding="utf-8")
    folders = [folder_case(trained["bytes"], *case) for case in FOLDERS]
    (folder / "folders.json").write_text("[" + ",\n".join(map(dump, folders)) + "]\n", encoding="utf-8")
