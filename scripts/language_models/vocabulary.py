"""Tokenizers trained on given texts, in the files that Transformers reads. Needs the Python package tokenizers
(scripts/reference_env.sh); the same texts give the same files."""
import json
import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers  # noqa: E402

END, PAD, SYSTEM, USER, ASSISTANT = "<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"
CHAT_TEMPLATE = """\
{%- for message in messages %}
{%- if message['role'] not in ['system', 'user', 'assistant'] %}
{{- raise_exception('this model knows the roles system, user and assistant, not ' + message['role']) }}
{%- endif %}
{{- '<|' + message['role'] + '|>' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{- message['content'] + eos_token }}{%- endgeneration %}
{%- else %}
{{- message['content'] + eos_token }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|assistant|>' }}
{%- endif %}
"""


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def byte_level_bpe(texts, size):
    """BPE over bytes, every digit a token of its own (so that sums can be copied), with the marks of chats."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[END, PAD, SYSTEM, USER, ASSISTANT], show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def word_piece(texts, size):
    """BERT's tokenizer in lower case."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")])
    return tokenizer


def write_decoder_folder(folder, tokenizer, config):
    """config.json (ids of the special tokens filled in), the tokenizer and the chat template."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = {"eos_token_id": tokenizer.token_to_id(END), "pad_token_id": tokenizer.token_to_id(PAD), "bos_token_id": None}
    write_json(folder / "config.json", {**config, "vocab_size": tokenizer.get_vocab_size(), **ids})
    write_json(folder / "generation_config.json", {key: value for key, value in ids.items() if value is not None})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": config["max_position_embeddings"],
                                                  "eos_token": END, "pad_token": PAD, "clean_up_tokenization_spaces": False})
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def write_encoder_folder(folder, tokenizer, config):
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", {**config, "vocab_size": tokenizer.get_vocab_size(), "pad_token_id": tokenizer.token_to_id("[PAD]")})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": config["max_position_embeddings"],
                                                  "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"})
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
