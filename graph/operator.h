/* What an operator is. The only header that a plugin needs.
 *
 * An operator is one C file with one constant descriptor. The descriptor is the single source of validation, shape inference,
 * `weft inspect`, the reference manual and the automatic tests; WEFT_OPERATOR() makes it known, there is no list to edit.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <glib.h>
#include <stddef.h>

#include <weft/lines.h>
#include <weft/npy.h>
#include <weft/random.h>
#include <weft/tensor.h>

G_BEGIN_DECLS

/* The interface that this header describes. A module records the one that it was compiled against and needs; the library serves
 * every minor version up to its own. */
#define WEFT_INTERFACE_MAJOR 1
#define WEFT_INTERFACE_MINOR 4

#define WEFT_MAX_PORTS 16
#define WEFT_MAX_SLOTS 3

typedef struct _WeftOperator WeftOperator;
typedef struct _WeftCall WeftCall;
typedef struct _WeftOpening WeftOpening;
typedef struct _WeftInference WeftInference;

typedef enum
{
  WEFT_MODE_TRAIN,
  WEFT_MODE_INFER,
} WeftMode;

/**
 * WeftCompute:
 * @WEFT_COMPUTE_FLOAT32: operands as they are
 * @WEFT_COMPUTE_BF16: operands rounded to bfloat16 (to the nearest, ties to even; what is no normal number to zero)
 *
 * What matrix products are computed from. Sums are float32 in any case.
 */
typedef enum
{
  WEFT_COMPUTE_FLOAT32,
  WEFT_COMPUTE_BF16,
} WeftCompute;

/**
 * WeftAttributeKind:
 * @WEFT_ATTRIBUTE_INTEGER: stored as gint64
 * @WEFT_ATTRIBUTE_NUMBER: stored as double
 * @WEFT_ATTRIBUTE_BOOLEAN: stored as gboolean
 * @WEFT_ATTRIBUTE_STRING: stored as const char *, %NULL when absent
 * @WEFT_ATTRIBUTE_PATH: like a string; relative paths are resolved against the document that wrote them
 * @WEFT_ATTRIBUTE_CHOICE: stored as int, the index into @choices
 * @WEFT_ATTRIBUTE_NUMBERS: a map from names (parameter paths or globs) to numbers, stored as #WeftNumbers
 * @WEFT_ATTRIBUTE_STRINGS: a list of strings, stored as a %NULL-terminated const char *const *; of an operator with an objective,
 *   parameter paths or globs
 */
typedef enum
{
  WEFT_ATTRIBUTE_INTEGER = 1,
  WEFT_ATTRIBUTE_NUMBER,
  WEFT_ATTRIBUTE_BOOLEAN,
  WEFT_ATTRIBUTE_STRING,
  WEFT_ATTRIBUTE_PATH,
  WEFT_ATTRIBUTE_CHOICE,
  WEFT_ATTRIBUTE_NUMBERS,
  WEFT_ATTRIBUTE_STRINGS,
} WeftAttributeKind;

typedef struct
{
  guint n;
  const char *const *names;
  const double *numbers;
} WeftNumbers;

/**
 * WeftAttribute:
 * @name: as written in YAML
 * @kind: type
 * @offset: where the value goes in the operator's own struct
 * @fallback: (nullable): default, as YAML would spell it; %NULL: the attribute is required; "" for strings, paths, maps and
 *   lists: absent unless given
 * @minimum: least number, inclusive (ignored when @minimum == @maximum)
 * @maximum: largest number, inclusive
 * @choices: (nullable): %NULL-terminated words of a choice
 * @scheduled: whether a schedule over steps or epochs may stand for a number, integer or boolean; the executor then stores the
 *   current value before each step
 * @unit: (nullable): unit or ""; of a path, %WEFT_WRITTEN if the operator writes there, so that it is no data that a run reads
 * @meaning: one line
 */
typedef struct
{
  const char *name;
  WeftAttributeKind kind;
  gsize offset;
  const char *fallback;
  double minimum, maximum;
  const char *const *choices;
  gboolean scheduled;
  const char *unit;
  const char *meaning;
} WeftAttribute;

/**
 * WeftPortFlags:
 * @WEFT_PORT_OPTIONAL: an input may be left open; an output is computed only when somebody reads it (its tensor is %NULL else)
 * @WEFT_PORT_VARIADIC: an input that takes a map or list of values; all share the signature. Within it every letter bound
 *   by the port's first value is shared, letters with a trailing ' may differ from value to value (`[b, d']`)
 * @WEFT_PORT_READ: backward reads this input, output or parameter. What is not read is not kept
 * @WEFT_PORT_CONSTANT: no gradient flows into this input (indices, texts, masks) or from this output (a count for the log); integer
 *   ports never carry gradients anyway
 * @WEFT_PORT_WEIGHTS: the value is a set of parameters and statistics (a network's, or a momentum copy of one), no tensor
 * @WEFT_PORT_STATE_OF: an input that names another node; the operator reads and writes that node's states (queue_enqueue `into`)
 * @WEFT_PORT_OBJECTIVE: a scalar input that is to be minimized: the graph is differentiated, and the operator is handed every
 *   trainable parameter with its gradient
 */
typedef enum
{
  WEFT_PORT_OPTIONAL = 1 << 0,
  WEFT_PORT_VARIADIC = 1 << 1,
  WEFT_PORT_READ = 1 << 2,
  WEFT_PORT_CONSTANT = 1 << 3,
  WEFT_PORT_WEIGHTS = 1 << 4,
  WEFT_PORT_STATE_OF = 1 << 5,
  WEFT_PORT_OBJECTIVE = 1 << 6,
} WeftPortFlags;

/**
 * WeftPort:
 * @name: as written in YAML
 * @signature: for example `f32[b:t, d]`; see doc/signatures.md. %NULL for weights and states of other nodes
 * @flags: #WeftPortFlags
 * @meaning: one line
 * @initial: (nullable): parameters and states: the initial value: `zeros`, `ones`, `constant(0.5)`, `uniform(-0.1, 0.1)`,
 *   `normal(0.02)` (standard deviation), `xavier` (uniform ±√6/√(in+out) of the last two sizes), `fan_in(SIZE)` (uniform ±1/√SIZE,
 *   SIZE a size expression of the signature's letters), `unit_rows` (rows uniform in [0,1), then l2-normalised); `$name` takes
 *   the word from that string attribute
 * @when: (nullable): parameters and states: exists only if this boolean attribute is true; `!name` if it is false
 * @shows: (nullable): outputs: the state whose memory this output is, without a copy (a queue's keys)
 *
 * Inputs, outputs, saved values, parameters and states are all ports: named tensors with a signature.
 */
typedef struct
{
  const char *name;
  const char *signature;
  guint flags;
  const char *meaning;
  const char *initial;
  const char *when;
  const char *shows;
} WeftPort;

/**
 * WeftWeight:
 * @path: full path of the parameter or statistic, for example `image.fc.weight`
 * @value: the tensor
 * @gradient: its gradient, @gradient.data %NULL when it has none
 * @slots: the operator's own persistent tensors beside this weight, in the order of its descriptor's slots
 * @statistic: %TRUE for a state (running mean), %FALSE for a parameter
 *
 * One member of a set of weights, as optimizers and momentum updates see it.
 */
typedef struct
{
  const char *path;
  WeftTensor value;
  WeftTensor gradient;
  WeftTensor slots[WEFT_MAX_SLOTS];
  gboolean statistic;
} WeftWeight;

/**
 * WeftSlot:
 * @name: the slot's tensors are stored under `NODE.NAME.WEIGHT-PATH`
 * @copy: start as a copy of the weight instead of zeros
 * @statistics: slots for statistics (running means) too, not only for parameters
 * @weights: (nullable): the output port of kind %WEFT_PORT_WEIGHTS through which graphs use these slots as weights
 * @when: (nullable): exists only if this attribute is true or, an integer, above 1; its tensors have no data otherwise
 */
typedef struct
{
  const char *name;
  gboolean copy;
  gboolean statistics;
  const char *weights;
  const char *when;
} WeftSlot;

/**
 * WeftCall:
 * @size: of this struct
 * @attributes: the operator's own struct, filled from YAML
 * @instance: what `open` returned
 * @mode: training or inference
 * @random: the stream of this node in this step; forward and backward get the same
 * @step: number of steps done before this one, over all epochs; @epoch: passes over the training source done before this one
 * @in: one pointer per input port, to its tensor (an array of @in_count tensors for variadic ports); %NULL for absent optional ones
 * @out: one per output port; %NULL for unread optional ones. In backward: as forward left them, if marked %WEFT_PORT_READ
 * @saved: forward: where to leave values for backward, %NULL when no gradient is needed; backward: those values
 * @parameters: one per parameter port
 * @states: one per state port of this node; read and written in place
 * @others: states of the node named by the %WEFT_PORT_STATE_OF input, in the order of that node's descriptor
 * @out_gradient: backward: gradient by each output, %NULL if no gradient flows from there
 * @in_gradient: backward: to be *set* (not added to), %NULL when not wanted; arrays for variadic ports
 * @parameter_gradient: backward: to be *set*, %NULL when not wanted
 * @weights: the parameters handed to an operator with an objective or weights input
 * @scratch: what `scratch` asked for, 64-byte aligned, contents undefined
 * @compute: (since 1.2): what weft_matrix_product() takes with this call
 *
 * Everything that a kernel gets. Kernels never allocate in proportion to their data, never keep pointers, and write only what is
 * theirs.
 */
struct _WeftCall
{
  gsize size;
  gconstpointer attributes;
  gpointer instance;
  WeftMode mode;
  WeftRandom random;
  guint64 step;
  guint64 epoch;
  const WeftTensor *in[WEFT_MAX_PORTS];
  guint in_count[WEFT_MAX_PORTS];
  WeftTensor *out[WEFT_MAX_PORTS];
  WeftTensor *saved[WEFT_MAX_PORTS];
  const WeftTensor *parameters[WEFT_MAX_PORTS];
  WeftTensor *states[WEFT_MAX_PORTS];
  WeftTensor *others[WEFT_MAX_PORTS];
  const WeftTensor *out_gradient[WEFT_MAX_PORTS];
  WeftTensor *in_gradient[WEFT_MAX_PORTS];
  WeftTensor *parameter_gradient[WEFT_MAX_PORTS];
  const WeftWeight *weights;
  guint n_weights;
  gpointer scratch;
  gpointer internal;
  WeftCompute compute;
};

/**
 * WeftOpening:
 *
 * What `open` gets: attributes, the mode, the seed, and the declared sizes of the inputs and outputs (bounds where sizes depend
 * on data), so that files can be held against what the pipeline declares before anything is computed.
 */
struct _WeftOpening
{
  gsize size;
  gconstpointer attributes;
  WeftMode mode;
  guint64 seed;
  const char *path;
  const WeftTensor *in[WEFT_MAX_PORTS];
  const WeftTensor *out[WEFT_MAX_PORTS]; /* data NULL; shapes are bounds; NULL for unread optional outputs */
};

/**
 * WeftParts:
 * @WEFT_PARTS_ELEMENTS: any part can be computed from the same elements of the inputs
 * @WEFT_PARTS_ROWS: any whole rows (along the last dimension) can be computed from the same rows of the inputs
 *
 * What an operator with `forward_part` computes at a time. Since 1.4.
 */
typedef enum
{
  WEFT_PARTS_ELEMENTS,
  WEFT_PARTS_ROWS,
} WeftParts;

/**
 * WeftPart:
 * @first_row, @rows: which rows, all dimensions but the last taken as one
 * @first_column, @columns: which elements of each; of operators that take whole rows all of them
 * @width: elements from one row to the next
 *
 * A part of values of one shape. Since 1.4.
 */
typedef struct
{
  gint64 first_row, rows;
  gint64 first_column, columns;
  gint64 width;
} WeftPart;

/**
 * WeftOperator: the descriptor.
 * @size: sizeof (WeftOperator), set by WEFT_OPERATOR_SIZE
 * @name: as written in YAML, lower_case
 * @version: raised whenever results change
 * @summary: one line
 * @documentation: (nullable): paragraphs
 * @source: (nullable): paper and equation, or format specification
 * @attributes_size: size of the operator's attribute struct
 * @attributes, @inputs, @outputs, @saved, @parameters, @states: arrays ended by an entry without name
 * @slots: persistent tensors per weight, see #WeftSlot
 * @in_place: pairs of input and output names that may share memory, e.g. "x=y"; ended by %NULL
 * @composition: (nullable): YAML of a module body (`nodes:` and `outputs:`; input ports are names in it, attributes variables). An
 *   operator without `forward` is replaced by it; one with both is compared with it by the tests
 * @forward: computes outputs; fails through weft_fail()
 * @backward: computes gradients
 * @not_differentiable: (nullable): why there is no gradient
 * @infer: (nullable): sizes that signatures can't express
 * @scratch: (nullable): bytes of scratch wanted by forward (and backward), asked once with all sizes at their bounds; data pointers
 *   are %NULL then
 * @open: (nullable): opens files, builds tables, starts readers; called after the whole pipeline was checked
 * @close: (nullable): frees what @open returned
 * @is_source: an operator that produces items until it calls weft_exhausted()
 * @example: YAML of a `nodes:` map that uses the operator on `feed` nodes; serves documentation and tests. Files are named below
 *   `data/`, `net` is a network with one input x
 * @effect: the operator does something besides computing outputs (writes states of others, updates weights), so it is never pruned
 *   for lack of readers
 * @check: (nullable): says what is wrong with the attributes together, as a message to be freed; %NULL if nothing
 * @cases: (nullable) (since 1.1): further maps of nodes like @example, ended by %NULL, for the tests alone
 * @allows_bf16: (since 1.2): the operator is still what it says when its products on the team are computed from bfloat16, which is then done
 *   where the pipeline says `compute: bf16`
 * @passes_gradient: (since 1.3): the gradient by every input is the gradient by the first output as it is, so that graphs need no
 *   @backward and no memory for it
 * @forward_part: (nullable) (since 1.4): computes a part of the outputs, from any member of the team and in any order; takes the place of
 *   @forward. Inputs and outputs have one shape. Where such an operator comes after one that @announces_parts, it works on what that one has
 *   just computed, while it is in cache
 * @parts: (since 1.4): which parts @forward_part can compute
 * @announces_parts: (since 1.4): @forward calls weft_part_done() for every part of the first output
 *
 * New fields are added at the end with a new minor version; the structs of attributes, ports and slots keep their size.
 */
struct _WeftOperator
{
  gsize size;
  const char *name;
  guint version;
  const char *summary;
  const char *documentation;
  const char *source;
  gsize attributes_size;
  const WeftAttribute *attributes;
  const WeftPort *inputs;
  const WeftPort *outputs;
  const WeftPort *saved;
  const WeftPort *parameters;
  const WeftPort *states;
  const WeftSlot *slots;
  const char *const *in_place;
  const char *composition;
  void (*forward) (const WeftCall *call);
  void (*backward) (const WeftCall *call);
  const char *not_differentiable;
  gboolean (*infer) (WeftInference *inference, GError **error);
  gsize (*scratch) (const WeftCall *call);
  gpointer (*open) (const WeftOpening *opening, GError **error);
  void (*close) (gpointer instance);
  gboolean is_source;
  const char *example;
  gboolean effect;
  char *(*check) (gconstpointer attributes);
  const char *const *cases;
  gboolean allows_bf16;
  gboolean passes_gradient;
  void (*forward_part) (const WeftCall *call, const WeftPart *part);
  WeftParts parts;
  gboolean announces_parts;
};

#define WEFT_OPERATOR_SIZE sizeof (WeftOperator)

/**
 * WEFT_OPERATOR:
 * @identifier: C identifier of a static const #WeftOperator
 *
 * Makes an operator known to its module, whichever file it stands in.
 */
#if defined(__clang__)
#define WEFT_OPERATOR_ENTRY __attribute__ ((used, section ("weft_operators"), no_sanitize ("address")))
#else
#define WEFT_OPERATOR_ENTRY __attribute__ ((used, section ("weft_operators")))
#endif
#define WEFT_OPERATOR(identifier) static const WeftOperator *const weft_entry_of_##identifier WEFT_OPERATOR_ENTRY = &identifier

/**
 * WeftCommandCall:
 * @arguments: (array length=n): words of the command line that are no options
 * @settings: (array zero-terminated=1): `path=value`, from --set and --seed
 * @output: (nullable): of --output
 * @threads: of --threads; 0: as many as the process may run on
 *
 * What a command of a module is called with.
 */
typedef struct
{
  gsize size;
  int n;
  char *const *arguments;
  const char *const *settings;
  const char *output;
  guint threads;
  gboolean quiet;
} WeftCommandCall;

/**
 * WeftModuleCommand: a subcommand of `weft` that a module brings
 * @name: as on the command line; not that of a built-in command
 * @summary: one line
 * @arguments: "RUN FOLDER"
 * @description: paragraphs for `--help` and the manual page
 * @options: (nullable): GOptionEntry that fill variables of the module, beside the common ones (--set, --output, --threads, --quiet …)
 * @run: returns the exit status: 0, 1 if something in a file is wrong, 2 if something in the command line is
 */
typedef struct
{
  const char *name, *summary, *arguments, *description;
  const GOptionEntry *options;
  int (*run) (const WeftCommandCall *call);
} WeftModuleCommand;

/**
 * WeftModule:
 * @size: sizeof (WeftModule)
 * @interface_major, @interface_minor: the interface that the module was compiled against
 * @name, @version, @summary: for `weft info` and `weft inspect`
 * @first, @last: its operators
 * @start: (nullable): called once after loading
 * @report: (nullable): lines for `weft info` (to be freed), e.g. which matrix kernels were chosen and why
 * @matrix_product: (nullable): serves weft_matrix_product_here() to everybody
 * @team_matrix_product: (nullable): serves weft_matrix_product(); without it, tiles of a product are computed by @matrix_product
 * @commands: (nullable) (since 1.1): subcommands, ended by one without name
 *
 * The one symbol, `weft_module`, that a module exports.
 */
typedef struct
{
  gsize size;
  guint interface_major, interface_minor;
  const char *name;
  const char *version;
  const char *summary;
  const WeftOperator *const *first;
  const WeftOperator *const *last;
  gboolean (*start) (GError **error);
  char *(*report) (void);
  void (*matrix_product) (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a,
                          gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride);
  void (*team_matrix_product) (const WeftCall *call, gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha,
                               const float *a, gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride);
  const WeftModuleCommand *commands;
} WeftModule;

extern const WeftOperator *const __start_weft_operators[] __attribute__ ((visibility ("hidden"), weak));
extern const WeftOperator *const __stop_weft_operators[] __attribute__ ((visibility ("hidden"), weak));

/**
 * WEFT_MODULE:
 *
 * Stands once in every module: `WEFT_MODULE ("user", "1.0", "USER's own operators");`, optionally with further fields as designated
 * initialisers.
 */
#define WEFT_MODULE(module_name, module_version, module_summary, ...)                                                                      \
  G_MODULE_EXPORT_WEFT const WeftModule weft_module = { .size = sizeof (WeftModule),                                                       \
                                                        .interface_major = WEFT_INTERFACE_MAJOR,                                           \
                                                        .interface_minor = WEFT_INTERFACE_MINOR,                                           \
                                                        .name = module_name,                                                               \
                                                        .version = module_version,                                                         \
                                                        .summary = module_summary,                                                         \
                                                        .first = __start_weft_operators,                                                   \
                                                        .last = __stop_weft_operators,                                                     \
                                                        ##__VA_ARGS__ }
#define G_MODULE_EXPORT_WEFT __attribute__ ((visibility ("default")))

/* Attribute entries. S is the attribute struct, the field has the attribute's name. */
#define WEFT_INTEGER(S, field, default_, low, high, unit_, meaning_)                                                                       \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_INTEGER, .offset = offsetof (S, field), .fallback = default_, .minimum = low, .maximum = high,  \
    .unit = unit_, .meaning = meaning_                                                                                                     \
  }
#define WEFT_NUMBER(S, field, default_, low, high, unit_, meaning_)                                                                        \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_NUMBER, .offset = offsetof (S, field), .fallback = default_, .minimum = low, .maximum = high,   \
    .unit = unit_, .meaning = meaning_                                                                                                     \
  }
#define WEFT_SCHEDULED(S, field, default_, low, high, unit_, meaning_)                                                                     \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_NUMBER, .offset = offsetof (S, field), .fallback = default_, .minimum = low, .maximum = high,   \
    .scheduled = TRUE, .unit = unit_, .meaning = meaning_                                                                                  \
  }
#define WEFT_BOOLEAN(S, field, default_, meaning_)                                                                                         \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_BOOLEAN, .offset = offsetof (S, field), .fallback = default_, .meaning = meaning_               \
  }
#define WEFT_STRING(S, field, default_, meaning_)                                                                                          \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_STRING, .offset = offsetof (S, field), .fallback = default_, .meaning = meaning_                \
  }
#define WEFT_PATH(S, field, default_, meaning_)                                                                                            \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_PATH, .offset = offsetof (S, field), .fallback = default_, .meaning = meaning_                  \
  }
#define WEFT_WRITTEN "written"
#define WEFT_WRITTEN_PATH(S, field, default_, meaning_)                                                                                    \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_PATH, .offset = offsetof (S, field), .fallback = default_, .unit = WEFT_WRITTEN,                \
    .meaning = meaning_                                                                                                                    \
  }
#define WEFT_CHOICE(S, field, default_, meaning_, ...)                                                                                     \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_CHOICE, .offset = offsetof (S, field), .fallback = default_,                                    \
    .choices = (const char *const[]){ __VA_ARGS__, NULL }, .meaning = meaning_                                                             \
  }
#define WEFT_NUMBERS(S, field, unit_, meaning_)                                                                                            \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_NUMBERS, .offset = offsetof (S, field), .fallback = "", .unit = unit_, .meaning = meaning_      \
  }
#define WEFT_STRINGS(S, field, meaning_)                                                                                                   \
  {                                                                                                                                        \
    .name = #field, .kind = WEFT_ATTRIBUTE_STRINGS, .offset = offsetof (S, field), .fallback = "", .meaning = meaning_                     \
  }

/* What kernels may call. */

/**
 * weft_fail:
 *
 * Ends the step with a message that names the node. The first message of a call counts.
 */
void weft_fail (const WeftCall *call, const char *format, ...) G_GNUC_PRINTF (2, 3);

/**
 * weft_exhausted:
 *
 * A source calls this instead of producing an item when its pass is over.
 */
void weft_exhausted (const WeftCall *call);

/**
 * weft_expect_steps:
 * @steps: of a whole pass
 *
 * A source that knows how long its passes are says so in each step, so that the time that is left can be told. Since 1.2.
 */
void weft_expect_steps (const WeftCall *call, gint64 steps);

/**
 * weft_resize:
 * @out: an output whose first size depends on data (`[b <= $batch, d]`, `[b:t <= b*$longest]`)
 * @samples: number of samples, ignored unless ragged
 * @rows: number of rows actually produced; must not exceed the bound
 *
 * Says how much was produced. A ragged output that introduces its own offsets has out->offsets writable, with room for the bound
 * of samples + 1 entries; write them before. Outputs that share a size letter share the size, and offsets if they are ragged.
 */
void weft_resize (const WeftCall *call, WeftTensor *out, gint64 samples, gint64 rows);

/**
 * weft_parallel:
 * @tiles: number of tiles; cut them by shape alone, never by the number of threads, so that results do not depend on it
 * @tile: called once for each index, from any member of the team; @member < weft_team_size(), for per-member scratch
 *
 * Runs tiles on the executor's team and returns when all are done.
 */
void weft_parallel (const WeftCall *call, gint64 tiles, void (*tile) (gpointer data, gint64 index, guint member), gpointer data);
/* Members of the team; in a `scratch` callback the most that there can be. */
guint weft_team_size (const WeftCall *call);

/**
 * weft_part_done:
 * @first_row, @rows, @first_column, @columns: as in #WeftPart
 *
 * For operators that announce parts: this part of the first output is final and will not be read by this call again. Parts may come in any
 * order and from any member, each element in one of them; two parts that have a row in common have all their rows in common. Since 1.4.
 */
void weft_part_done (const WeftCall *call, gint64 first_row, gint64 rows, gint64 first_column, gint64 columns);

/**
 * weft_matrix_product:
 *
 * C = α op(A) op(B) + β C, float32, row-major: op(A) is m×k, op(B) is k×n. Strides are the distances between stored rows. Uses the
 * team: tiles are cut by shape. With β = 0, C is not read. The operands are rounded first where the call says so (see #WeftCompute).
 */
void weft_matrix_product (const WeftCall *call, gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha,
                          const float *a, gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride);

/**
 * weft_matrix_product_here:
 *
 * The same on the calling thread alone: for use inside tiles.
 */
void weft_matrix_product_here (gboolean transpose_a, gboolean transpose_b, gint64 m, gint64 n, gint64 k, float alpha, const float *a,
                               gint64 a_stride, const float *b, gint64 b_stride, float beta, float *c, gint64 c_stride);

/**
 * weft_inference_*:
 *
 * For `infer` callbacks, called after the signatures were unified as far as they could be. Sizes are opaque; constants can be asked for.
 */
gconstpointer weft_inference_attributes (const WeftInference *inference);
guint weft_inference_input_count (const WeftInference *inference, guint port);
/* Size of dimension @dimension (negative: from the end) of value @which of input @port: the constant, or -1 if it is symbolic. */
gint64 weft_inference_input_size (const WeftInference *inference, guint port, guint which, int dimension);
/* Gives letter @letter of the operator's signatures the constant @size, as if it had been unified. */
gboolean weft_inference_bind (WeftInference *inference, const char *letter, gint64 size, GError **error);
/* Gives the letter the size of that dimension of value @which of input @port, constant or not. */
gboolean weft_inference_bind_input (WeftInference *inference, const char *letter, guint port, guint which, int dimension, GError **error);

/**
 * weft_glob_match:
 *
 * Returns: whether dotted @path, or a prefix of it that ends at a dot, matches @pattern: `*` stands for one element, `**` for any number.
 */
gboolean weft_path_match (const char *pattern, const char *path);

#define WEFT_ERROR (weft_error_quark ())
GQuark weft_error_quark (void);

/**
 * WeftErrorCode:
 * @WEFT_ERROR_INPUT: a file or value is not what it should be
 * @WEFT_ERROR_SYSTEM: the operating system refused something
 */
typedef enum
{
  WEFT_ERROR_INPUT,
  WEFT_ERROR_SYSTEM,
} WeftErrorCode;

G_END_DECLS
