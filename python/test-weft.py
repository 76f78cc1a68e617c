"""The Python module against NumPy. Arguments: the lesson's pipeline, a pipeline with ragged values.

SPDX-License-Identifier: BSD-3-Clause
"""
import sys

try:
    import numpy
except ImportError:
    print("skipped: NumPy is not there")
    sys.exit(77)
import weft


def unit(rows):
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


def raises(text, function, *arguments):
    try:
        function(*arguments)
    except weft.Error as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"no error: {text}")


draw = numpy.random.default_rng(1)
with weft.Session(sys.argv[1], threads=2) as session:
    session.want("score.similarity")
    for n in (2, 7):
        images = draw.normal(size=(n, 2)).astype(numpy.float32)
        captions = draw.normal(size=(3 * n, 2)).astype(numpy.float32)[:, ::-1]
        session.feed("score.images", images)
        session.feed("score.captions", captions)
        assert session.step("score")
        value = session.value("score.similarity")
        assert value.shape == (n, 3 * n)
        assert numpy.allclose(value, unit(images) @ unit(captions).T, atol=1e-5)
    raises("declared", session.feed, "score.images", numpy.zeros((2, 3), numpy.float32))
    raises("no feed", session.feed, "score.nothing", images)
    raises("no graph", session.step, "nothing")
    raises("want()", session.value, "score.v")
raises("closed", session.step, "score")
raises("nowhere.yaml", weft.Session, "nowhere.yaml")

with weft.Session(sys.argv[2]) as session:
    session.want("pool.mean")
    session.want("pool.twice")
    samples = [draw.normal(size=(k, 3)) for k in (4, 1, 0, 2)]
    session.feed("pool.x", samples)
    session.step("pool")
    twice = session.value("pool.twice")
    assert [len(sample) for sample in twice] == [4, 1, 0, 2]
    assert all(numpy.allclose(a, 2 * b, atol=1e-5) for a, b in zip(twice, samples))
    mean = session.value("pool.mean")
    assert numpy.allclose(mean[0], samples[0].mean(axis=0), atol=1e-5) and numpy.allclose(mean[3], samples[3].mean(axis=0), atol=1e-5)
    raises("before the first step", session.want, "pool.hidden")
with weft.Session(sys.argv[3]) as session:
    assert session.graphs == ["train", "points"] and session.feeds("train") == ["train.x"]
    assert sorted(session.weights) == ["map.y.bias", "map.y.weight", "points.items.cursor"]
    weight, bias = session.weight("map.y.weight"), session.weight("map.y.bias")
    raises("there is no parameter", session.weight, "map.y.nothing")
    for reference in ("loss", "x~gradient", "y.y~gradient", "map.y.weight~gradient"):
        session.want("train." + reference)
    raises("no value", session.want, "train.nothing~gradient")
    x = draw.normal(size=(5, 4)).astype(numpy.float32)
    session.feed("train.x", x)
    session.step("train")
    y = numpy.tanh(x @ weight.T + bias)
    by_linear = (1 - y**2) / y.size
    assert numpy.allclose(session.value("train.loss"), y.mean(), atol=1e-6)
    assert numpy.allclose(session.value("train.y.y~gradient"), by_linear, atol=1e-6)
    assert numpy.allclose(session.value("train.x~gradient"), by_linear @ weight, atol=1e-6)
    assert numpy.allclose(session.value("train.map.y.weight~gradient"), by_linear.T @ x, atol=1e-6)
    rows = session.collect("points.items.caption")
    assert rows.shape == (50,) and (rows == numpy.arange(50)).all(), rows
print("passed")
