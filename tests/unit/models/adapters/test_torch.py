"""Runs where PyTorch is: `make torch`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rxml import models
from rxml.batch import Batch, Field, Schema
from rxml.errors import ModelError, PipelineError
from rxml.models.adapters.torch import from_state
from rxml.testing.models import check_model
from tests.contract.factories import NAMES, module

torch: Any = pytest.importorskip("torch", reason="the extra torch is not installed")
nn: Any = torch.nn

X = np.random.default_rng(2).normal(size=(12, 20))
BATCH = Batch({name: X[:, i] for i, name in enumerate(NAMES)})
PLACE = "tests.contract.factories:module"


class Both(nn.Module):  # type: ignore[misc]
    def __init__(self, form: str) -> None:
        nn.Module.__init__(self)
        self.dropout: Any = nn.Dropout(0.5)
        self.form: str = form

    def forward(self, left: Any, right: Any) -> Any:
        total, pair = left.sum(1, keepdim=True) + right[:, None], self.dropout(left)
        if self.form == "short":
            return total[:1]
        return {"total": total, "pair": pair} if self.form == "dict" else (total, pair)


def test_scalars_become_one_tensor() -> None:
    made = module()
    model = models.from_torch(made, inputs=NAMES, factory=PLACE)
    check_model(model, BATCH)
    wanted = made(torch.tensor(X, dtype=torch.float32)).detach().numpy()[:, 0]
    np.testing.assert_allclose(model.predict(BATCH)["value"], wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("form", "outputs", "names"),
    [("dict", (), ["total", "pair"]), ("tuple", ("value", "rest"), ["value", "rest"])],
)
def test_several_tensors_go_in_and_out(form: str, outputs: Any, names: list[str]) -> None:
    inputs = Schema([Field("left", "float32", (2,)), Field("right", "float32")])
    model = models.from_torch(Both(form), inputs=inputs, outputs=outputs)
    assert list(model.signature.outputs) == names
    batch = Batch({"left": X[:, :2], "right": X[:, 2]})
    check_model(model, batch)  # without dropout: it is set to evaluate
    np.testing.assert_array_equal(model.predict(batch)[names[1]], X[:, :2].astype(np.float32))


def test_the_digest_is_that_of_the_state() -> None:
    one, same, other = module(), module(), nn.Linear(20, 1)
    digests = [models.from_torch(each, inputs=NAMES).digest for each in (one, same, other)]
    assert digests[0] == digests[1] != digests[2]
    assert digests[0].startswith("sha256:")


def test_the_state_travels_and_the_code_is_imported() -> None:
    changed = module()
    with torch.no_grad():
        changed[0].weight += 1
    model = models.from_torch(changed, inputs=NAMES, factory=PLACE)
    check_model(model, BATCH)
    assert model.digest != models.from_torch(module(), inputs=NAMES).digest
    with pytest.raises(ModelError, match="factory"):
        models.from_torch(changed, inputs=NAMES).recipe()
    state, *rest = model.recipe().arguments
    with pytest.raises(ModelError, match="does not take this state"):
        from_state(state[:-9], *rest)


def test_what_is_no_model_of_rows_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"torch\.nn\.Module"):
        models.from_torch(len, inputs=["a"])
    with pytest.raises(PipelineError, match="tensors hold numbers"):
        models.from_torch(module(), inputs=Schema.of(a=str))
    inputs = Schema([Field("left", "float32", (2,)), Field("right", "float32")])
    with pytest.raises(PipelineError, match="gives one for each"):
        models.from_torch(Both("short"), inputs=inputs)
    with pytest.raises(PipelineError, match="gives 2 outputs, 1 are named"):
        models.from_torch(Both("tuple"), inputs=inputs, outputs=["value"])
