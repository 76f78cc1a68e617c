"""Pipelines of Weft in Python: NumPy arrays in and out.

    import weft
    with weft.Session("runs/user-f30k") as session:
        session.want("encode.v")
        session.feed("encode.regions", [first, second])     # a list: one array of rows per sample
        session.step("encode")
        embeddings = session.value("encode.v")
        print(session.graphs, session.feeds("encode"), session.weights, session.weight("image.projection.weight"))

value("train.v~gradient") is the gradient of what graph `train` minimizes by v, collect("images.v") all rows of a pass over a source.
Needs the installed library (or WEFT_LIBRARY=path of libweft-1.so) and NumPy.

SPDX-License-Identifier: BSD-3-Clause
"""
import ctypes
import ctypes.util
import os

import numpy

MAX_RANK = 5
TYPES = {0: numpy.float32, 1: numpy.float64, 2: numpy.float16, 4: numpy.int64, 5: numpy.int32, 6: numpy.uint8}
CODES = {numpy.dtype(kind): code for code, kind in TYPES.items()}


class Error(Exception):
    """What the library reports, in its words."""


class _GError(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", ctypes.c_int), ("message", ctypes.c_char_p)]


class _Tensor(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("rank", ctypes.c_uint), ("shape", ctypes.c_int64 * MAX_RANK), ("data", ctypes.c_void_p),
                ("offsets", ctypes.POINTER(ctypes.c_int32)), ("samples", ctypes.c_int64)]


_ErrorPointer = ctypes.POINTER(ctypes.POINTER(_GError))


def _load():
    name = os.environ.get("WEFT_LIBRARY") or ctypes.util.find_library("weft-1") or "libweft-1.so.0"
    library = ctypes.CDLL(name)
    strings = ctypes.POINTER(ctypes.c_char_p)
    tensor = ctypes.POINTER(_Tensor)
    for function, result, arguments in (
            ("weft_session_open", ctypes.c_void_p, [ctypes.c_char_p, strings, ctypes.c_char_p, ctypes.c_uint, _ErrorPointer]),
            ("weft_session_free", None, [ctypes.c_void_p]),
            ("weft_session_want", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, _ErrorPointer]),
            ("weft_session_feed", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, tensor, _ErrorPointer]),
            ("weft_session_step", ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int), _ErrorPointer]),
            ("weft_session_value", tensor, [ctypes.c_void_p, ctypes.c_char_p]),
            ("weft_session_graphs", ctypes.c_void_p, [ctypes.c_void_p]),
            ("weft_session_feeds", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, _ErrorPointer]),
            ("weft_session_weights", ctypes.c_void_p, [ctypes.c_void_p]),
            ("weft_session_weight", tensor, [ctypes.c_void_p, ctypes.c_char_p])):
        getattr(library, function).restype = result
        getattr(library, function).argtypes = arguments
    return library


_library = _load()
_glib = ctypes.CDLL(ctypes.util.find_library("glib-2.0") or "libglib-2.0.so.0")
_glib.g_error_free.argtypes = [ctypes.POINTER(_GError)]
_glib.g_error_free.restype = None
_glib.g_strfreev.argtypes = [ctypes.c_void_p]
_glib.g_strfreev.restype = None


def _call(function, *arguments):
    error = ctypes.POINTER(_GError)()
    result = function(*arguments, ctypes.byref(error))
    if error:
        message = error.contents.message.decode()
        _glib.g_error_free(error)
        raise Error(message)
    return result


def _names(pointer):
    strings, names = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_char_p)), []
    while strings[len(names)] is not None:
        names.append(strings[len(names)].decode())
    _glib.g_strfreev(pointer)
    return names


def _array(tensor, name):
    shape = tuple(tensor.shape[:tensor.rank])
    if tensor.type not in TYPES:
        raise Error(f"{name} has a type that NumPy does not know")
    kind = numpy.dtype(TYPES[tensor.type])
    size = int(numpy.prod(shape, dtype=numpy.int64)) * kind.itemsize
    array = numpy.frombuffer(ctypes.string_at(tensor.data, size) if size else b"", kind).reshape(shape).copy()
    if not tensor.offsets:
        return array
    return [array[tensor.offsets[i]:tensor.offsets[i + 1]] for i in range(tensor.samples)]


class Session:
    """A pipeline file, an installed pipeline's name, or a run, whose best model is loaded."""

    def __init__(self, path, settings=(), phase=None, threads=0):
        given = [str(setting).encode() for setting in settings]
        self._pointer = None
        self._fed = {}
        self._pointer = _call(_library.weft_session_open, os.fspath(path).encode(), (ctypes.c_char_p * (len(given) + 1))(*given, None),
                              phase.encode() if phase else None, threads)

    def close(self):
        """Frees everything; arrays that value() returned stay."""
        pointer, self._pointer = self._pointer, None
        if pointer:
            _library.weft_session_free(pointer)
        self._fed.clear()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def __del__(self):
        self.close()

    def _open(self):
        if not self._pointer:
            raise Error("the session is closed")
        return self._pointer

    @property
    def graphs(self):
        """Names of the graphs."""
        return _names(_library.weft_session_graphs(self._open()))

    def feeds(self, graph):
        """Names of what feed() can give to a graph: GRAPH.NAME."""
        return [f"{graph}.{name}" for name in _names(_call(_library.weft_session_feeds, self._open(), graph.encode()))]

    @property
    def weights(self):
        """Names of all parameters and states."""
        return _names(_library.weft_session_weights(self._open()))

    def weight(self, path):
        """A copy of a parameter or state."""
        pointer = _library.weft_session_weight(self._open(), path.encode())
        if not pointer:
            raise Error(f"there is no parameter or state {path}")
        return _array(pointer.contents, path)

    def want(self, reference):
        """Says that GRAPH.NODE or GRAPH.NODE.PORT will be read, or REFERENCE~gradient, the gradient of what its graph minimizes by a value or
        by a parameter; before the first feed or step of its graph."""
        _call(_library.weft_session_want, self._open(), reference.encode())

    def feed(self, reference, value, offsets=None):
        """Gives the feed node GRAPH.NODE an array. Ragged ones are a list of arrays, one per sample, or all rows and their offsets."""
        if isinstance(value, (list, tuple)) and value and all(numpy.ndim(item) for item in value):
            offsets = numpy.cumsum([0] + [len(item) for item in value])
            value = numpy.concatenate([numpy.asarray(item) for item in value])
        array = numpy.asarray(value)
        if array.dtype == numpy.float64:
            array = array.astype(numpy.float32)
        array = numpy.require(array, requirements=["C", "A"])
        if array.dtype not in CODES:
            raise TypeError(f"arrays of {array.dtype} cannot be fed")
        if array.ndim > MAX_RANK:
            raise ValueError(f"at most {MAX_RANK} dimensions, not {array.ndim}")
        tensor = _Tensor(type=CODES[array.dtype], rank=array.ndim, data=array.ctypes.data)
        tensor.shape[:array.ndim] = array.shape
        if offsets is not None:
            offsets = numpy.ascontiguousarray(offsets, numpy.int32)
            tensor.offsets = offsets.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
            tensor.samples = len(offsets) - 1
        _call(_library.weft_session_feed, self._open(), reference.encode(), ctypes.byref(tensor))
        self._fed[reference] = (array, offsets)

    def step(self, graph):
        """Runs a graph once. Returns False when the pass of its source is over, and nothing was computed."""
        exhausted = ctypes.c_int(0)
        _call(_library.weft_session_step, self._open(), graph.encode(), ctypes.byref(exhausted))
        return not exhausted.value

    def value(self, reference):
        """A copy of what the last step left; for a ragged value, a list of arrays, one per sample."""
        pointer = _library.weft_session_value(self._open(), reference.encode())
        if not pointer:
            raise Error(f"{reference} has no value: want() it before the first step of its graph")
        return _array(pointer.contents, reference)

    def collect(self, reference):
        """What all steps of a pass over the source of its graph give, one after another: an array, or a list of arrays if ragged."""
        self.want(reference)
        graph, parts = reference.split(".")[0], []
        while self.step(graph):
            parts.append(self.value(reference))
            if not numpy.ndim(parts[-1]):
                raise Error(f"{reference} has no rows to collect")
        if not parts:
            raise Error(f"{reference}: the source of `{graph}` has no items")
        return sum(parts, []) if isinstance(parts[0], list) else numpy.concatenate(parts)
