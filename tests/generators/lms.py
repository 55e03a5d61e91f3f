"""Tiny random language models of four families, and a picture tower, in folders as the hub's."""

from __future__ import annotations

from pathlib import Path

from generators.vlms import tokenizer

FAMILIES = ("llama", "opt", "gpt_neox", "mpt")
WIDTH, LAYERS = 32, 4


def save_lm(folder: Path, family: str, seed: int = 0) -> Path:
    """Write a model folder of one of ``FAMILIES`` with random weights."""
    import torch
    import transformers as tf

    tf.utils.logging.set_verbosity_error()
    tf.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    words = tokenizer()
    size = {"vocab_size": len(words), "hidden_size": WIDTH, "num_hidden_layers": LAYERS}
    ends = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    heads = {"num_attention_heads": 4, "max_position_embeddings": 512}
    if family == "llama":
        config = tf.LlamaConfig(**size, **heads, **ends, intermediate_size=64, num_key_value_heads=2)
        model = tf.LlamaForCausalLM(config)
    elif family == "opt":
        config = tf.OPTConfig(**size, **heads, **ends, ffn_dim=64, word_embed_proj_dim=WIDTH)
        model = tf.OPTForCausalLM(config)
    elif family == "gpt_neox":
        config = tf.GPTNeoXConfig(**size, **heads, **ends, intermediate_size=64, tie_word_embeddings=False)
        model = tf.GPTNeoXForCausalLM(config)
    else:
        config = tf.MptConfig(
            vocab_size=len(words), d_model=WIDTH, n_layers=LAYERS, n_heads=4, max_seq_len=256, **ends
        )
        model = tf.MptForCausalLM(config)
    for weight in model.parameters():  # of some size, so that answers differ with what is asked
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.25)
    model.eval().save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def save_tower(folder: Path, seed: int = 0) -> Path:
    """Write CLIP's vision tower with random weights: 3 x 3 tokens of 24 numbers at 24 pixels."""
    import torch
    import transformers as tf
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(seed)
    vision = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    tf.CLIPVisionModel(tf.CLIPVisionConfig(**vision, image_size=24, patch_size=8)).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 24}).save_pretrained(folder)
    return folder


def check_generation(model, prompts, beams: int, *, tokens: int, different: int) -> None:
    """Check that cached is uncached, a batch is one by one, and a stream is its answer.

    Args:
        model: a generator.
        prompts: of different lengths and numbers of pictures.
        beams: of the search.
        tokens: how many each answer may have.
        different: how many answers differ at least, so that equality says something.
    """
    from sayso.generators import Decoding

    decoding = Decoding(max_new_tokens=tokens, beams=beams)
    together = model.generate(prompts, decoding)
    assert len(set(together)) >= different
    assert together == model.generate(prompts, decoding, use_cache=False)
    assert together == [model.generate([prompt], decoding)[0] for prompt in prompts]
    if beams == 1:
        assert together == ["".join(model.stream(prompt, decoding)).strip() for prompt in prompts]
