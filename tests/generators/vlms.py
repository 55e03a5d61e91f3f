"""Tiny random visual language models in folders as the hub lays them out."""

from __future__ import annotations

from pathlib import Path

WORDS = (
    *("a", "photo", "of", "the", "cat", "dog", "red", "blue", "ball", "car", "on", "and", "two", "small"),
    *("what", "is", "this", "it", "yes", "no", "maybe", "picture", "how", "many", "short", "sentence"),
    *("USER", "ASSISTANT", "Question", "Short", "answer", "Answer", "Output", "Describe", "in", "one"),
    *("question", "using", "single", "word", "or", "phrase", ":", ".", "?", ","),
)
KINDS = ("llava", "blip-2", "idefics2", "qwen2_vl")
CHAT = (
    "{% for m in messages %}{{ 'USER: ' if m.role == 'user' else 'ASSISTANT: ' }}"
    "{% for c in m.content %}{{ '<image>' if c.type == 'image' else c.text }} {% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
SIDE = 16


def tokenizer(*extra: str, blanks: bool = False):
    """Return a tokeniser of whole words, or with ``blanks`` of bytes; ``extra`` are special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<s>", "</s>", *extra]
    if blanks:
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        made = Tokenizer(models.BPE({token: i for i, token in enumerate([*special, *alphabet])}, []))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
    else:
        vocabulary = dict.fromkeys([*special, *WORDS])
        made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(vocabulary)}, unk_token="<unk>"))
        made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=list(extra),
        model_max_length=512,
    )


def save_vlm(folder: Path, kind: str, seed: int = 0, *, chat: bool = True) -> Path:
    """Write a model folder of one of ``KINDS`` with random weights."""
    import torch
    import transformers as tf

    tf.utils.logging.set_verbosity_error()
    tf.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    folder.mkdir(parents=True)
    makers = {"llava": _llava, "blip-2": _blip2, "idefics2": _idefics2, "qwen2_vl": _qwen2_vl}
    makers["smolvlm"] = _smolvlm
    model, processors, mark = makers[kind]()
    for parameter in model.parameters():  # of some size, so that answers differ with what is asked
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    if chat and kind != "blip-2":
        (folder / "chat_template.jinja").write_text(CHAT.replace("<image>", mark))
    model.eval().save_pretrained(folder)
    if kind == "smolvlm":
        (folder / "processor_config.json").write_text('{"image_seq_len": 4}')
    for processor in processors:
        processor.save_pretrained(folder)
    return folder


def _text(vocabulary: int) -> dict:
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    return {**layers, **ends, "vocab_size": vocabulary, "max_position_embeddings": 512}


VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": SIDE, "patch_size": 8,
}  # fmt: skip


def _llava():
    import transformers as tf
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    words = tokenizer("<image>")
    config = tf.LlavaConfig(
        vision_config=tf.CLIPVisionConfig(**VISION),
        text_config=tf.LlamaConfig(**_text(len(words))),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor = tf.LlavaProcessor(
        pictures, words, patch_size=8, vision_feature_select_strategy="default", num_additional_image_tokens=1
    )
    return tf.LlavaForConditionalGeneration(config), [processor], "<image>"


def _blip2():
    import transformers as tf
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    words = tokenizer("<image>")
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = tf.Blip2Config(
        vision_config=dict(VISION),
        qformer_config={**layers, "encoder_hidden_size": 32, "vocab_size": len(words)},
        text_config={
            "model_type": "opt", **_text(len(words)), "ffn_dim": 64, "word_embed_proj_dim": 32,
        },
        num_query_tokens=4,
        image_token_index=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    pictures = BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    processor = tf.Blip2Processor(pictures, words, num_query_tokens=4)
    return tf.Blip2ForConditionalGeneration(config), [processor], "<image>"


def _idefics2():
    import transformers as tf
    from transformers.models.idefics2.image_processing_pil_idefics2 import Idefics2ImageProcessorPil

    words = tokenizer("<image>", "<fake_token_around_image>", "<end_of_utterance>")
    config = tf.Idefics2Config(
        vision_config=dict(VISION),
        perceiver_config={
            "hidden_size": 32, "resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 2,
            "resampler_head_dim": 8, "num_key_value_heads": 1,
        },
        text_config={"model_type": "mistral", **_text(len(words)), "num_key_value_heads": 2},
        image_token_id=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    pictures = Idefics2ImageProcessorPil(
        size={"shortest_edge": SIDE, "longest_edge": SIDE}, do_image_splitting=False
    )
    processor = tf.Idefics2Processor(pictures, words, image_seq_len=4)
    return tf.Idefics2ForConditionalGeneration(config), [processor], "<image>"


def _qwen2_vl():
    """Saved in parts: its whole processor needs torchvision for videos."""
    import transformers as tf
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    marks = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    words = tokenizer(*marks)
    image, video, start, end = words.convert_tokens_to_ids(marks)
    rope = {"rope_type": "default", "type": "mrope", "mrope_section": [2, 3, 3]}
    config = tf.Qwen2VLConfig(
        text_config={**_text(len(words)), "num_key_value_heads": 2, "rope_parameters": rope},
        vision_config={
            "depth": 1, "embed_dim": 16, "hidden_size": 32, "num_heads": 2, "patch_size": 4,
            "spatial_merge_size": 2, "temporal_patch_size": 2, "mlp_ratio": 2,
        },
        image_token_id=image, video_token_id=video, vision_start_token_id=start, vision_end_token_id=end,
    )  # fmt: skip
    pictures = Qwen2VLImageProcessorPil(
        patch_size=4, merge_size=2, temporal_patch_size=2, min_pixels=64, max_pixels=1024
    )
    mark = "<|vision_start|><|image_pad|><|vision_end|>"
    return tf.Qwen2VLForConditionalGeneration(config), [words, pictures], mark


def _smolvlm():
    """Saved in parts, as Qwen2-VL; its processor needs num2words."""
    import transformers as tf
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

    marks = ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>")
    words = tokenizer(*marks)
    config = tf.SmolVLMConfig(
        vision_config=dict(VISION),
        text_config={"model_type": "llama", **_text(len(words)), "num_key_value_heads": 2},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=1,
    )
    pictures = SmolVLMImageProcessorPil(
        size={"longest_edge": SIDE}, max_image_size={"longest_edge": SIDE}, do_image_splitting=False
    )
    return tf.SmolVLMForConditionalGeneration(config), [words, pictures], "<image>"
