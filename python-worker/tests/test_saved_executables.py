"""python -m pytest python-worker/tests/test_saved_executables.py -k damaged."""

import hashlib
import hmac
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.layout import Format, Layout
from jax.sharding import SingleDeviceSharding

from client import array, compile_, refused, value
from programs import ADD_INTO, doubled, unary
from tsxla_worker import jax_private
from tsxla_worker.contract.generated import pb, rpc
from tsxla_worker.executables.registry import Executables
from tsxla_worker.measuring.metrics import Metrics
from tsxla_worker.programs import modules
from tsxla_worker.saved_executables import compatibility, file_format
from tsxla_worker.saved_executables.file_format import Saved
from tsxla_worker.saved_executables.signing_key import ExecutableKey
from tsxla_worker.serving.worker import Worker

SINES = unary("%0 = stablehlo.sine %arg0 : tensor<16xf32>", source="16xf32", target="16xf32")
VALUES = np.linspace(-3, 3, 16, dtype=np.float32)


def save(stub: rpc.WorkerServiceStub, module: str) -> bytes:
    made = compile_(stub, module)
    pieces = stub.SaveExecutable(pb.SaveExecutableRequest(executable_id=made.executable_id))
    return b"".join(piece.data for piece in pieces)


def load(stub: rpc.WorkerServiceStub, data: bytes, piece: int = 1 << 20) -> pb.LoadExecutableResponse:
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)] or [b""]
    return stub.LoadExecutable(iter([pb.LoadExecutableRequest(data=each) for each in pieces]))


def run(stub: rpc.WorkerServiceStub, made: pb.CompileResponse, *arguments: np.ndarray) -> list[np.ndarray]:
    request = pb.ExecuteRequest(
        executable_id=made.executable_id, arguments=[value(a) for a in arguments], fetch=range(len(made.results))
    )
    return [array(result.tensor) for result in stub.Execute(request).results]


def signed(running: Worker, data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The same file with another header, signed as the worker would."""
    key = running.executable_key.get()
    saved = file_format.read(data, key)
    header = json.loads(json.dumps(saved.header))
    change(header)
    return file_format.write(Saved(header, saved.text, saved.payload), key)


def test_a_loaded_executable_gives_the_numbers_of_the_compiled_one_and_of_numpy(stub: rpc.WorkerServiceStub) -> None:
    made = load(stub, save(stub, SINES))
    assert made.module == SINES
    assert made.program == "m"
    (found,) = run(stub, made.executable, VALUES)
    (fresh,) = run(stub, compile_(stub, SINES), VALUES)
    assert found.tobytes() == fresh.tobytes()
    np.testing.assert_allclose(found, np.sin(VALUES), rtol=1e-6)


def test_loading_takes_the_machine_code_of_the_file_and_compiles_nothing(
    stub: rpc.WorkerServiceStub, running: Worker
) -> None:
    # The payload of another program under this one's text: what runs is what was in the file.
    key = running.executable_key.get()
    saved = file_format.read(save(stub, SINES), key)
    cosines = file_format.read(save(stub, SINES.replace("sine", "cosine")), key)
    made = load(stub, file_format.write(Saved(saved.header, saved.text, cosines.payload), key))
    (found,) = run(stub, made.executable, VALUES)
    np.testing.assert_allclose(found, np.cos(VALUES), rtol=1e-6, atol=1e-6)


def test_the_same_bytes_are_the_same_executable_however_they_come(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    data = save(stub, SINES)
    (folder / "sines.tsxla-exe").write_bytes(data)
    first = load(stub, data, piece=1000).executable
    second = stub.LoadExecutable(iter([pb.LoadExecutableRequest(path="sines.tsxla-exe")])).executable
    assert first.executable_id == second.executable_id
    assert second.from_cache
    assert first.executable_id != compile_(stub, SINES).executable_id


def test_what_was_loaded_can_be_saved_again(stub: rpc.WorkerServiceStub) -> None:
    once = load(stub, save(stub, SINES)).executable
    pieces = stub.SaveExecutable(pb.SaveExecutableRequest(executable_id=once.executable_id))
    twice = load(stub, b"".join(piece.data for piece in pieces)).executable
    (found,) = run(stub, twice, VALUES)
    np.testing.assert_allclose(found, np.sin(VALUES), rtol=1e-6)


def test_what_came_from_the_compile_cache_is_saved_whole(stub: rpc.WorkerServiceStub, running: Worker) -> None:
    text = SINES.replace("sine", "tanh")
    compile_(stub, text)
    # Another worker's, which finds it in the cache.
    fresh = Executables(running.logs, Metrics())
    made, _ = fresh.compile(text, pb.ENGINE_XLA)
    assert made.from_cache
    data = file_format.write(fresh.save(made.id), running.executable_key.get())
    (found,) = run(stub, load(stub, data).executable, VALUES)
    np.testing.assert_allclose(found, np.tanh(VALUES), rtol=1e-6)


def test_donation_survives(stub: rpc.WorkerServiceStub) -> None:
    made = load(stub, save(stub, ADD_INTO)).executable
    assert made.alias_bytes == 16
    one, two = np.arange(4, dtype=np.float32), np.full(4, 2, np.float32)
    total, product = run(stub, made, one, two)
    np.testing.assert_array_equal(total, one + two)
    np.testing.assert_array_equal(product, one * two)


def test_a_damaged_file_is_refused_wherever_the_bit_flipped(stub: rpc.WorkerServiceStub) -> None:
    data = save(stub, doubled("5xf32"))
    # Every part: format version, sizes, header, text, payload, digest, signature.
    places = [
        9,
        13,
        20,
        28,
        60,
        len(data) // 3,
        len(data) // 2,
        len(data) - 40,
        len(data) - 1,
        *range(0, len(data), 997),
    ]
    for place in places:
        broken = bytearray(data)
        broken[place] ^= 0x10
        code, reason, _, message = refused(lambda broken=broken: load(stub, bytes(broken)))
        assert code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED}
        assert reason in {"EXECUTABLE_INVALID", "EXECUTABLE_UNTRUSTED"}
        assert "ompile it again" in message
    assert run(stub, compile_(stub, doubled("5xf32")), np.ones(5, np.float32))[0].sum() == 10


def test_a_file_that_is_cut_off_is_refused_with_both_sizes(stub: rpc.WorkerServiceStub) -> None:
    data = save(stub, SINES)
    for length in [8, 31, 32, 100, len(data) // 2, len(data) - 32, len(data) - 1]:
        code, reason, metadata, message = refused(lambda length=length: load(stub, data[:length]))
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "EXECUTABLE_INVALID")
        assert message.startswith(f"The executable can't be loaded. It is cut off: {length} bytes are there, ")
        assert metadata["found"] == str(length)


def test_what_is_no_executable_is_refused_without_reading_it(stub: rpc.WorkerServiceStub, folder: Path) -> None:
    (folder / "text.mlir").write_text(SINES)
    for call in (
        lambda: load(stub, b""),
        lambda: load(stub, SINES.encode()),
        lambda: load(stub, b"\x80\x04\x95" + b"\0" * 100),
        lambda: stub.LoadExecutable(iter([pb.LoadExecutableRequest(path="text.mlir")])),
    ):
        code, reason, _, message = refused(call)
        assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "EXECUTABLE_INVALID")
        assert "it does not begin with TSXLAEXE" in message
    code, reason, _, _ = refused(lambda: stub.LoadExecutable(iter([pb.LoadExecutableRequest(path="../x")])))
    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "PATH_OUTSIDE_ROOT")


def test_a_file_that_another_key_signed_is_refused_before_it_is_believed(stub: rpc.WorkerServiceStub) -> None:
    data = save(stub, SINES)
    body = data[:-32]
    foreign = body + hmac.digest(b"x" * 64, body, "sha256")
    code, reason, _, message = refused(lambda: load(stub, foreign))
    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "EXECUTABLE_UNTRUSTED")
    assert "--executable-key" in message


def test_a_later_format_is_named(stub: rpc.WorkerServiceStub) -> None:
    data = bytearray(save(stub, SINES))
    struct.pack_into("<I", data, 8, 2)
    data[-64:-32] = hashlib.sha256(data[:-64]).digest()
    assert "Its format is 2, and this worker reads 1" in refused(lambda: load(stub, bytes(data)))[3]


@pytest.mark.parametrize(
    ("what", "other", "says"),
    [
        ("tsxla", "0.0.9", "was compiled for tsxla 0.0.9, and here is tsxla"),
        ("jax", "0.1", "was compiled for jax 0.1, and here is jax"),
        ("jaxlib", "0.1", "was compiled for jaxlib 0.1, and here is jaxlib"),
        ("platform", "tpu", "was compiled for tpu, and here is cpu"),
        ("plugins", {"libtpu": "0.0.1"}, "was compiled for libtpu 0.0.1, and here is libtpu"),
        ("device_kind", "TPU v4", "was compiled for TPU v4, and here is cpu"),
        ("devices", 4096, "was compiled for 4096 devices, and here is"),
        ("machine", "vax", "was compiled for vax, and here is"),
        ("instructions", ["avx4096"], "was compiled for a processor with avx4096, and here is one without"),
    ],
)
def test_what_was_compiled_by_or_for_something_else_is_refused_by_name(
    stub: rpc.WorkerServiceStub, running: Worker, what: str, other: object, says: str
) -> None:
    data = signed(running, save(stub, SINES), lambda header: header.update({what: other}))
    code, reason, metadata, message = refused(lambda: load(stub, data))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "EXECUTABLE_MISMATCH")
    assert says in message
    assert "compile it again" in message
    assert metadata["what"] in {what, "libtpu"}


def test_a_header_that_lies_about_its_text_is_refused(stub: rpc.WorkerServiceStub, running: Worker) -> None:
    data = signed(running, save(stub, SINES), lambda header: header.update({"results": ["f32[17]"]}))
    code, reason, _, message = refused(lambda: load(stub, data))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "EXECUTABLE_INVALID")
    assert "disagree about results" in message


def test_a_payload_that_xla_does_not_take_is_refused_and_the_worker_goes_on(
    stub: rpc.WorkerServiceStub, running: Worker
) -> None:
    key = running.executable_key.get()
    saved = file_format.read(save(stub, SINES), key)
    data = file_format.write(Saved(saved.header, saved.text, b"\xff" * 100), key)
    code, reason, _, _ = refused(lambda: load(stub, data))
    assert (code, reason) == (grpc.StatusCode.INTERNAL, "EXECUTABLE_REFUSED")
    assert run(stub, load(stub, save(stub, SINES)).executable, VALUES)[0].shape == (16,)


def test_the_reference_interpreter_s_programs_are_not_saved(stub: rpc.WorkerServiceStub) -> None:
    made = compile_(stub, SINES, pb.ENGINE_REFERENCE)
    request = pb.SaveExecutableRequest(executable_id=made.executable_id)
    code, reason, _, _ = refused(lambda: list(stub.SaveExecutable(request)))
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "EXECUTABLE_NOT_SAVABLE")
    unknown = pb.SaveExecutableRequest(executable_id="x-none")
    assert refused(lambda: list(stub.SaveExecutable(unknown)))[1] == "EXECUTABLE_NOT_FOUND"


def test_the_header_says_what_the_program_takes_and_what_it_is_valid_for(
    stub: rpc.WorkerServiceStub, running: Worker
) -> None:
    header = file_format.read(save(stub, ADD_INTO), running.executable_key.get()).header
    assert header["arguments"] == [
        {"name": "x", "type": "f32[4]", "donated": False, "result": None},
        {"name": "state", "type": "f32[4]", "donated": True, "result": 1},
    ]
    assert header["results"] == ["f32[4]", "f32[4]"]
    assert (header["jax"], header["platform"], header["devices"]) == (jax.__version__, "cpu", 1)
    assert header["text_sha256"] == hashlib.sha256(ADD_INTO.encode()).hexdigest()


def test_arguments_are_brought_into_the_order_that_an_executable_was_compiled_for(
    stub: rpc.WorkerServiceStub, running: Worker
) -> None:
    # As for chips: compiled ahead of time with a layout of its own, here a matrix with its columns outermost.
    text = unary("%0 = stablehlo.add %arg0, %arg0 : tensor<2x3xf32>", source="2x3xf32", target="2x3xf32")
    program = modules.program(text)
    function = jax_private.as_function(program.module, [each.type for each in program.parameters], program.results)
    columns = Format(Layout((1, 0)), SingleDeviceSharding(jax.devices()[0]))
    compiled = jax.jit(function, in_shardings=columns).lower(jax.ShapeDtypeStruct((2, 3), jnp.float32)).compile()
    header = compatibility.describe(program, text, jax.devices(), ["[[1, 0], null]"])
    saved = Saved(header, text, jax_private.serialize(compiled))
    made = load(stub, file_format.write(saved, running.executable_key.get()))
    given = np.arange(6, dtype=np.float32).reshape(2, 3)
    (found,) = run(stub, made.executable, given)
    np.testing.assert_array_equal(found, given * 2)


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    keys = {ExecutableKey(None, tmp_path).get() for _ in range(3)}
    assert len(keys) == 1
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert ExecutableKey(file, None).get() in keys


def test_a_worker_without_a_place_for_a_key_says_what_to_start_it_with() -> None:
    with pytest.raises(Exception, match="--executable-key FILE or --cache-dir DIR"):
        ExecutableKey(None, None).get()


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    with pytest.raises(ValueError, match="holds 6 bytes; at least 32 are wanted"):
        ExecutableKey(tmp_path / "key", None)
