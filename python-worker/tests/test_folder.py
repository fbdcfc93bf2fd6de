"""python -m pytest python-worker/tests/test_folder.py."""

import json
from pathlib import Path

import numpy as np
import pytest

from files import SMALL, damage, open_, write_safetensors
from tsxla_worker.checkpoints.open import Checkpoints
from tsxla_worker.contract.errors import WorkerError

A, B = {"a": np.ones(2, np.float32)}, {"b": np.ones(3, np.float32)}
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def sharded(folder: Path, **weight_map: str) -> Path:
    write_safetensors(folder / FIRST, A)
    write_safetensors(folder / SECOND, B)
    index(folder, {"a": FIRST, "b": SECOND, **weight_map})
    return folder


def index(folder: Path, weight_map: object) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_a_folder_with_one_file_is_that_file(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", SMALL, {"format": "pt"})
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "sub").mkdir()
    found = open_(tmp_path)
    assert list(found.tensors) == ["a.weight", "b", "c"]
    assert found.files == ("config.json",)
    assert found.directory == tmp_path


def test_shards_that_agree_with_their_index_are_one_checkpoint(tmp_path: Path) -> None:
    found = open_(sharded(tmp_path))
    assert {name: tensor.file.name for name, tensor in found.tensors.items()} == {"a": FIRST, "b": SECOND}
    assert found.files == ("model.safetensors.index.json",)


def test_an_edited_index_is_read_again(tmp_path: Path) -> None:
    opened = Checkpoints()
    first = opened.open(sharded(tmp_path))
    assert opened.open(tmp_path) is first
    index(tmp_path, {"a": FIRST, "c": SECOND})
    with pytest.raises(WorkerError):
        opened.open(tmp_path)


def test_files_without_an_index_are_taken_together(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "one.safetensors", A)
    write_safetensors(tmp_path / "two.safetensors", B)
    assert list(open_(tmp_path).tensors) == ["a", "b"]


def test_a_name_in_two_files_is_refused(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "one.safetensors", A)
    write_safetensors(tmp_path / "two.safetensors", A)
    assert damage(tmp_path).message.endswith("two.safetensors: a is also in one.safetensors.")


def test_a_shard_that_is_missing_on_disk_is_named(tmp_path: Path) -> None:
    (sharded(tmp_path) / SECOND).unlink()
    assert damage(tmp_path).message.endswith(f"{SECOND}: this shard is missing.")
    (tmp_path / "model.safetensors.index.json").unlink()
    assert damage(tmp_path).message.endswith(f"{SECOND}: this shard is missing.")


def test_a_shard_that_the_index_does_not_mention_is_named(tmp_path: Path) -> None:
    sharded(tmp_path)
    index(tmp_path, {"a": FIRST})
    assert damage(tmp_path).message.endswith(f"it does not mention {SECOND}, which lies beside it.")


def test_a_tensor_that_its_shard_lacks_is_named(tmp_path: Path) -> None:
    sharded(tmp_path, c=FIRST)
    assert damage(tmp_path).message.endswith(f"it says that c is in {FIRST}, but no shard holds it.")


def test_a_tensor_that_lies_in_another_shard_is_named(tmp_path: Path) -> None:
    sharded(tmp_path, a=SECOND)
    index(tmp_path, {"a": SECOND, "b": SECOND, "c": FIRST})
    assert damage(tmp_path).message.endswith(f"it says that a is in {SECOND}, but {FIRST} holds it.")


def test_a_tensor_that_the_index_does_not_mention_is_named(tmp_path: Path) -> None:
    sharded(tmp_path)
    write_safetensors(tmp_path / FIRST, {**A, "extra": A["a"]})
    assert damage(tmp_path).message.endswith(f"it does not mention extra, which {FIRST} holds.")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": 1}', "[" * 100_000, '{"weight_map": {"a": 1}}'])
def test_an_index_that_is_no_index_is_refused(tmp_path: Path, content: str) -> None:
    (sharded(tmp_path) / "model.safetensors.index.json").write_text(content)
    assert "weight_map" in damage(tmp_path).message


@pytest.mark.parametrize("name", ["../model.safetensors", "/model.safetensors", "sub/x.safetensors", "model.bin"])
def test_an_index_does_not_point_elsewhere(tmp_path: Path, name: str) -> None:
    sharded(tmp_path)
    index(tmp_path, {"a": name})
    assert "files beside it" in damage(tmp_path).message


def test_a_folder_of_something_else_says_what_to_open(tmp_path: Path) -> None:
    assert damage(tmp_path).message.endswith("the folder holds no safetensors files.")
    (tmp_path / "x.gguf").touch()
    assert damage(tmp_path).message.endswith("It holds x.gguf: open that file.")
