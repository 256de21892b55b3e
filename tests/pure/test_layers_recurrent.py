from __future__ import annotations

import numpy as np
import pytest

from torch2om.ir.op import Array, BadOp
from torch2om.layers import LSTM, RNN, Cell, Recurrence
from torch2om.layers.recurrent import CaffeRecurrent

T, N, F, S, H = 6, 2, 3, 5, 4
KINDS: tuple[type[CaffeRecurrent], ...] = (LSTM, RNN)


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def weights_of(op: CaffeRecurrent, static: bool = False) -> list[Array]:
    bottoms = [(T, N, F), (T, N)] + [(N, S)] * static + [(1, N, H)] * (op.states if op.expose_hidden else 0)
    return [drawn(*shape, seed=seed) for seed, shape in enumerate(op.expected_weights(bottoms))]


def restarts(*steps: int) -> Array:
    cont = np.ones((T, N))
    cont[list(steps)] = 0
    return cont


@pytest.mark.parametrize("kind", KINDS)
def test_a_zero_in_cont_begins_a_new_sequence(kind: type[CaffeRecurrent]) -> None:
    op, x = kind(H), drawn(T, N, F)
    weights = weights_of(op)
    (whole,) = op.run([x, restarts(0, 4)], weights)
    (first,) = op.run([x[:4], restarts(0)[:4]], weights)
    (second,) = op.run([x[4:], restarts(0)[:2]], weights)
    np.testing.assert_allclose(whole, np.concatenate([first, second]), rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_exposed_states_carry_a_sequence_over(kind: type[CaffeRecurrent]) -> None:
    plain, exposing, x = kind(H), kind(H, expose_hidden=True), drawn(T, N, F)
    weights, zeros, goes_on = weights_of(plain), [np.zeros((1, N, H))] * plain.states, np.ones((T, N))
    (whole,) = plain.run([x, goes_on], weights)
    first, *states = exposing.run([x[:2], goes_on[:2], *zeros], weights)
    second, *last = exposing.run([x[2:], goes_on[2:], *states], weights)
    np.testing.assert_allclose(whole, np.concatenate([first, second]), rtol=1e-13)
    shapes = exposing.infer([(T, N, F), (T, N), *[(1, N, H)] * plain.states], [weight.shape for weight in weights])
    assert shapes == ((T, N, H), *((1, N, H),) * plain.states)
    assert [state.shape for state in last] == [(1, N, H)] * plain.states


@pytest.mark.parametrize("kind", KINDS)
def test_a_static_input_is_the_same_as_more_features_at_every_step(kind: type[CaffeRecurrent]) -> None:
    op, x, static, cont = kind(H), drawn(T, N, F), drawn(N, S, seed=9), restarts(0)
    weights = weights_of(op, static=True)
    (top,) = op.run([x, cont, static], weights)
    wide = np.concatenate([x, np.broadcast_to(static, (T, N, S))], axis=2)
    kernel, bias, extra, *others = weights
    (wanted,) = op.run([wide, cont], [np.concatenate([kernel, extra], axis=1), bias, *others])
    np.testing.assert_allclose(top, wanted, rtol=1e-12)


def test_caffes_lstm_is_pytorchs_with_the_gates_in_another_order() -> None:
    op, x = LSTM(H), drawn(T, N, F)
    weights = weights_of(op)
    (top,) = op.run([x, restarts(0)], weights)
    kernel, bias, recurrent = (np.concatenate([w[: 2 * H], w[3 * H :], w[2 * H : 3 * H]]) for w in weights)
    y, _, _ = Recurrence(Cell.LSTM, H).run([x], [kernel, recurrent, bias, np.zeros(4 * H)])
    np.testing.assert_allclose(top, y, rtol=1e-12)


def test_products_are_counted_per_step_and_the_static_inputs_once() -> None:
    assert LSTM(H).macs([(T, N, F), (T, N)], [(4 * H, F), (4 * H,), (4 * H, H)]) == T * N * 4 * H * (F + H)
    weights = [(H, F), (H,), (H, S), (H, H), (H, H), (H,)]
    assert RNN(H).macs([(T, N, F), (T, N), (N, S)], weights) == N * (T * (H * F + 2 * H * H) + H * S)


def test_bottoms_and_weights_that_do_not_fit_are_refused() -> None:
    x, cont = (T, N, F), (T, N)
    with pytest.raises(BadOp, match="num_output must be at least 1"):
        LSTM()
    with pytest.raises(BadOp, match="needs 2 or 3 bottoms, has 1"):
        LSTM(H).expected_weights([x])
    with pytest.raises(BadOp, match="needs 4 or 5 bottoms, has 3"):
        LSTM(H, expose_hidden=True).expected_weights([x, cont, (1, N, H)])
    with pytest.raises(BadOp, match="needs x as T x N x"):
        LSTM(H).expected_weights([(T, N), cont])
    with pytest.raises(BadOp, match=r"cont must be \[6, 2\]"):
        LSTM(H).expected_weights([x, (T, N, 1)])
    with pytest.raises(BadOp, match="the static input must have 2 rows"):
        RNN(H).expected_weights([x, cont, (3, S)])
    with pytest.raises(BadOp, match=r"first states must be \[1, 2, 4\]"):
        RNN(H, expose_hidden=True).expected_weights([x, cont, (N, H)])
    with pytest.raises(BadOp, match=r"weight 0 has shape \[16, 4\], needs \[16, 3\]"):
        LSTM(H).infer([x, cont], [(16, 4), (16,), (16, 4)])
