"""Writes tests/goldens/app/tiny_bert: a complete checkpoint (random BERT with 2 layers of 16, WordPiece tokenizer over the words
of data/intents and letters) for tests that start the program. Needs the reference libraries (scripts/reference_env.sh)."""
import json
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tests/goldens/app/tiny_bert"
WORDS = ("the a my your i you we it is was are be to of in on at for from with and or not no new old card account payment money bank app "
         "transfer cash machine refund charge fee pin code lost stolen broken arrive late wrong please help how what when where why can do "
         "does did has have had change address name phone open close pay paid send sent get got want need limit exchange rate currency").split()

letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.,?!'-$€")
vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters if c.isalnum()), *dict.fromkeys(WORDS)]
TARGET.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
model = BertModel(BertConfig(vocab_size=len(vocab), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=64))
model.save_pretrained(TARGET)


def special(token):
    return {"id": vocab.index(token), "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}


def piece(kind, name, type_id):
    return {kind: {"id": name, "type_id": type_id}}


tokenizer = {
    "version": "1.0", "truncation": None, "padding": None,
    "added_tokens": [special(t) for t in vocab[:5]],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {
        "type": "TemplateProcessing",
        "single": [piece("SpecialToken", "[CLS]", 0), piece("Sequence", "A", 0), piece("SpecialToken", "[SEP]", 0)],
        "pair": [piece("SpecialToken", "[CLS]", 0), piece("Sequence", "A", 0), piece("SpecialToken", "[SEP]", 0), piece("Sequence", "B", 1),
                 piece("SpecialToken", "[SEP]", 1)],
        "special_tokens": {t: {"id": t, "ids": [vocab.index(t)], "tokens": [t]} for t in ("[CLS]", "[SEP]")}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
              "vocab": {t: i for i, t in enumerate(vocab)}}}
(TARGET / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
(TARGET / "tokenizer_config.json").write_text(json.dumps(
    {"tokenizer_class": "BertTokenizer", "model_max_length": 64, "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]",
     "mask_token": "[MASK]", "unk_token": "[UNK]"}, indent=1) + "\n")
