//! The functions of the CEL environment of Kubernetes 1.35 and their overloads.
//!
//! Source: apiserver `pkg/cel/environment/base.go`; cel-go `common/stdlib`, `ext`, `cel/library.go`;
//! apiserver `pkg/cel/library`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::types::Type;

/// One way to call a function.
#[derive(Debug)]
pub(crate) struct Overload {
    /// Its name, by which costs are told apart.
    pub(crate) id: &'static str,
    /// Whether it is called as `target.function(…)`; the target is then the first argument.
    pub(crate) member: bool,
    pub(crate) args: Vec<Type>,
    pub(crate) result: Type,
    /// How many type parameters it has.
    pub(crate) parameters: u8,
}

/// One line an overload: `function overload arguments -> result`. A dot before the arguments makes it a
/// member. `A`, `B` are type parameters.
const DECLARATIONS: &str = "
_?_:_ conditional bool;A;A -> A
_&&_ logical_and bool;bool -> bool
_||_ logical_or bool;bool -> bool
!_ logical_not bool -> bool
@not_strictly_false not_strictly_false bool -> bool
_==_ equals A;A -> bool
_!=_ not_equals A;A -> bool
_+_ add_bytes bytes;bytes -> bytes
_+_ add_double double;double -> double
_+_ add_duration_duration duration;duration -> duration
_+_ add_duration_timestamp duration;timestamp -> timestamp
_+_ add_timestamp_duration timestamp;duration -> timestamp
_+_ add_int64 int;int -> int
_+_ add_list list(A);list(A) -> list(A)
_+_ add_string string;string -> string
_+_ add_uint64 uint;uint -> uint
_/_ divide_double double;double -> double
_/_ divide_int64 int;int -> int
_/_ divide_uint64 uint;uint -> uint
_%_ modulo_int64 int;int -> int
_%_ modulo_uint64 uint;uint -> uint
_*_ multiply_double double;double -> double
_*_ multiply_int64 int;int -> int
_*_ multiply_uint64 uint;uint -> uint
-_ negate_double double -> double
-_ negate_int64 int -> int
_-_ subtract_double double;double -> double
_-_ subtract_duration_duration duration;duration -> duration
_-_ subtract_int64 int;int -> int
_-_ subtract_timestamp_duration timestamp;duration -> timestamp
_-_ subtract_timestamp_timestamp timestamp;timestamp -> duration
_-_ subtract_uint64 uint;uint -> uint
_<_ less_bool bool;bool -> bool
_<_ less_int64 int;int -> bool
_<_ less_int64_double int;double -> bool
_<_ less_int64_uint64 int;uint -> bool
_<_ less_uint64 uint;uint -> bool
_<_ less_uint64_double uint;double -> bool
_<_ less_uint64_int64 uint;int -> bool
_<_ less_double double;double -> bool
_<_ less_double_int64 double;int -> bool
_<_ less_double_uint64 double;uint -> bool
_<_ less_string string;string -> bool
_<_ less_bytes bytes;bytes -> bool
_<_ less_timestamp timestamp;timestamp -> bool
_<_ less_duration duration;duration -> bool
_<=_ less_equals_bool bool;bool -> bool
_<=_ less_equals_int64 int;int -> bool
_<=_ less_equals_int64_double int;double -> bool
_<=_ less_equals_int64_uint64 int;uint -> bool
_<=_ less_equals_uint64 uint;uint -> bool
_<=_ less_equals_uint64_double uint;double -> bool
_<=_ less_equals_uint64_int64 uint;int -> bool
_<=_ less_equals_double double;double -> bool
_<=_ less_equals_double_int64 double;int -> bool
_<=_ less_equals_double_uint64 double;uint -> bool
_<=_ less_equals_string string;string -> bool
_<=_ less_equals_bytes bytes;bytes -> bool
_<=_ less_equals_timestamp timestamp;timestamp -> bool
_<=_ less_equals_duration duration;duration -> bool
_>_ greater_bool bool;bool -> bool
_>_ greater_int64 int;int -> bool
_>_ greater_int64_double int;double -> bool
_>_ greater_int64_uint64 int;uint -> bool
_>_ greater_uint64 uint;uint -> bool
_>_ greater_uint64_double uint;double -> bool
_>_ greater_uint64_int64 uint;int -> bool
_>_ greater_double double;double -> bool
_>_ greater_double_int64 double;int -> bool
_>_ greater_double_uint64 double;uint -> bool
_>_ greater_string string;string -> bool
_>_ greater_bytes bytes;bytes -> bool
_>_ greater_timestamp timestamp;timestamp -> bool
_>_ greater_duration duration;duration -> bool
_>=_ greater_equals_bool bool;bool -> bool
_>=_ greater_equals_int64 int;int -> bool
_>=_ greater_equals_int64_double int;double -> bool
_>=_ greater_equals_int64_uint64 int;uint -> bool
_>=_ greater_equals_uint64 uint;uint -> bool
_>=_ greater_equals_uint64_double uint;double -> bool
_>=_ greater_equals_uint64_int64 uint;int -> bool
_>=_ greater_equals_double double;double -> bool
_>=_ greater_equals_double_int64 double;int -> bool
_>=_ greater_equals_double_uint64 double;uint -> bool
_>=_ greater_equals_string string;string -> bool
_>=_ greater_equals_bytes bytes;bytes -> bool
_>=_ greater_equals_timestamp timestamp;timestamp -> bool
_>=_ greater_equals_duration duration;duration -> bool
_[_] index_list list(A);int -> A
_[_] index_map map(A,B);A -> B
_[_] optional_list_index_int optional(list(A));int -> optional(A)
_[_] optional_map_index_value optional(map(A,B));A -> optional(B)
_[?_] list_optindex_optional_int list(A);int -> optional(A)
_[?_] optional_list_optindex_optional_int optional(list(A));int -> optional(A)
_[?_] map_optindex_optional_value map(A,B);A -> optional(B)
_[?_] optional_map_optindex_optional_value optional(map(A,B));A -> optional(B)
_?._ select_optional_field dyn;string -> optional(A)
@in in_list A;list(A) -> bool
@in in_map A;map(A,B) -> bool
size size_bytes bytes -> int
size bytes_size .bytes -> int
size size_list list(A) -> int
size list_size .list(A) -> int
size size_map map(A,B) -> int
size map_size .map(A,B) -> int
size size_string string -> int
size string_size .string -> int
type type A -> type(A)
bool bool_to_bool bool -> bool
bool string_to_bool string -> bool
bytes bytes_to_bytes bytes -> bytes
bytes string_to_bytes string -> bytes
double double_to_double double -> double
double int64_to_double int -> double
double string_to_double string -> double
double uint64_to_double uint -> double
duration duration_to_duration duration -> duration
duration int64_to_duration int -> duration
duration string_to_duration string -> duration
dyn to_dyn A -> dyn
int int64_to_int64 int -> int
int double_to_int64 double -> int
int duration_to_int64 duration -> int
int string_to_int64 string -> int
int timestamp_to_int64 timestamp -> int
int uint64_to_int64 uint -> int
string string_to_string string -> string
string bool_to_string bool -> string
string bytes_to_string bytes -> string
string double_to_string double -> string
string duration_to_string duration -> string
string int64_to_string int -> string
string timestamp_to_string timestamp -> string
string uint64_to_string uint -> string
string ip_to_string net.IP -> string
string cidr_to_string net.CIDR -> string
timestamp timestamp_to_timestamp timestamp -> timestamp
timestamp int64_to_timestamp int -> timestamp
timestamp string_to_timestamp string -> timestamp
uint uint64_to_uint64 uint -> uint
uint double_to_uint64 double -> uint
uint int64_to_uint64 int -> uint
uint string_to_uint64 string -> uint
contains contains_string .string;string -> bool
endsWith ends_with_string .string;string -> bool
startsWith starts_with_string .string;string -> bool
matches matches string;string -> bool
matches matches_string .string;string -> bool
getFullYear timestamp_to_year .timestamp -> int
getFullYear timestamp_to_year_with_tz .timestamp;string -> int
getMonth timestamp_to_month .timestamp -> int
getMonth timestamp_to_month_with_tz .timestamp;string -> int
getDayOfYear timestamp_to_day_of_year .timestamp -> int
getDayOfYear timestamp_to_day_of_year_with_tz .timestamp;string -> int
getDayOfMonth timestamp_to_day_of_month .timestamp -> int
getDayOfMonth timestamp_to_day_of_month_with_tz .timestamp;string -> int
getDate timestamp_to_day_of_month_1_based .timestamp -> int
getDate timestamp_to_day_of_month_1_based_with_tz .timestamp;string -> int
getDayOfWeek timestamp_to_day_of_week .timestamp -> int
getDayOfWeek timestamp_to_day_of_week_with_tz .timestamp;string -> int
getHours timestamp_to_hours .timestamp -> int
getHours timestamp_to_hours_with_tz .timestamp;string -> int
getHours duration_to_hours .duration -> int
getMinutes timestamp_to_minutes .timestamp -> int
getMinutes timestamp_to_minutes_with_tz .timestamp;string -> int
getMinutes duration_to_minutes .duration -> int
getSeconds timestamp_to_seconds .timestamp -> int
getSeconds timestamp_to_seconds_tz .timestamp;string -> int
getSeconds duration_to_seconds .duration -> int
getMilliseconds timestamp_to_milliseconds .timestamp -> int
getMilliseconds timestamp_to_milliseconds_with_tz .timestamp;string -> int
getMilliseconds duration_to_milliseconds .duration -> int
optional.of optional_of A -> optional(A)
optional.ofNonZeroValue optional_ofNonZeroValue A -> optional(A)
optional.none optional_none - -> optional(A)
optional.unwrap optional_unwrap list(optional(A)) -> list(A)
unwrapOpt optional_unwrapOpt .list(optional(A)) -> list(A)
value optional_value .optional(A) -> A
hasValue optional_hasValue .optional(A) -> bool
or optional_or_optional .optional(A);optional(A) -> optional(A)
orValue optional_orValue_value .optional(A);A -> A
last list_last .list(A) -> optional(A)
first list_first .list(A) -> optional(A)
cel.@mapInsert @mapInsert_map_key_value map(A,B);A;B -> map(A,B)
cel.@mapInsert @mapInsert_map_map map(A,B);map(A,B) -> map(A,B)
charAt string_char_at_int .string;int -> string
indexOf string_index_of_string .string;string -> int
indexOf string_index_of_string_int .string;string;int -> int
indexOf list_a_index_of_int .list(A);A -> int
lastIndexOf string_last_index_of_string .string;string -> int
lastIndexOf string_last_index_of_string_int .string;string;int -> int
lastIndexOf list_a_last_index_of_int .list(A);A -> int
lowerAscii string_lower_ascii .string -> string
upperAscii string_upper_ascii .string -> string
replace string_replace_string_string .string;string;string -> string
replace string_replace_string_string_int .string;string;string;int -> string
split string_split_string .string;string -> list(string)
split string_split_string_int .string;string;int -> list(string)
substring string_substring_int .string;int -> string
substring string_substring_int_int .string;int;int -> string
trim string_trim .string -> string
format string_format .string;list(dyn) -> string
strings.quote strings_quote string -> string
join list_join .list(string) -> string
join list_join_string .list(string);string -> string
sets.contains list_sets_contains_list list(A);list(A) -> bool
sets.equivalent list_sets_equivalent_list list(A);list(A) -> bool
sets.intersects list_sets_intersects_list list(A);list(A) -> bool
slice list_slice .list(A);int;int -> list(A)
flatten list_flatten .list(list(A)) -> list(A)
flatten list_flatten_int .list(dyn);int -> list(dyn)
lists.range lists_range int -> list(int)
reverse list_reverse .list(A) -> list(A)
distinct list_distinct .list(A) -> list(A)
url string_to_url string -> kubernetes.URL
isURL is_url_string string -> bool
getScheme url_get_scheme .kubernetes.URL -> string
getHost url_get_host .kubernetes.URL -> string
getHostname url_get_hostname .kubernetes.URL -> string
getPort url_get_port .kubernetes.URL -> string
getEscapedPath url_get_escaped_path .kubernetes.URL -> string
getQuery url_get_query .kubernetes.URL -> map(string,list(string))
find string_find_string .string;string -> string
findAll string_find_all_string .string;string -> list(string)
findAll string_find_all_string_int .string;string;int -> list(string)
quantity string_to_quantity string -> kubernetes.Quantity
isQuantity is_quantity_string string -> bool
sign quantity_sign kubernetes.Quantity -> int
isGreaterThan quantity_is_greater_than .kubernetes.Quantity;kubernetes.Quantity -> bool
isLessThan quantity_is_less_than .kubernetes.Quantity;kubernetes.Quantity -> bool
compareTo quantity_compare_to .kubernetes.Quantity;kubernetes.Quantity -> int
asApproximateFloat quantity_get_float .kubernetes.Quantity -> double
asInteger quantity_get_int .kubernetes.Quantity -> int
isInteger quantity_is_integer .kubernetes.Quantity -> bool
add quantity_add .kubernetes.Quantity;kubernetes.Quantity -> kubernetes.Quantity
add quantity_add_int .kubernetes.Quantity;int -> kubernetes.Quantity
sub quantity_sub .kubernetes.Quantity;kubernetes.Quantity -> kubernetes.Quantity
sub quantity_sub_int .kubernetes.Quantity;int -> kubernetes.Quantity
ip string_to_ip string -> net.IP
ip cidr_ip .net.CIDR -> net.IP
isIP is_ip string -> bool
ip.isCanonical ip_is_canonical string -> bool
family ip_family .net.IP -> int
isUnspecified ip_is_unspecified .net.IP -> bool
isLoopback ip_is_loopback .net.IP -> bool
isLinkLocalMulticast ip_is_link_local_multicast .net.IP -> bool
isLinkLocalUnicast ip_is_link_local_unicast .net.IP -> bool
isGlobalUnicast ip_is_global_unicast .net.IP -> bool
cidr string_to_cidr string -> net.CIDR
isCIDR is_cidr string -> bool
containsIP cidr_contains_ip_string .net.CIDR;string -> bool
containsIP cidr_contains_ip_ip .net.CIDR;net.IP -> bool
containsCIDR cidr_contains_cidr_string .net.CIDR;string -> bool
containsCIDR cidr_contains_cidr .net.CIDR;net.CIDR -> bool
prefixLength cidr_prefix_length .net.CIDR -> int
masked cidr_masked .net.CIDR -> net.CIDR
format.named format-named string -> optional(kubernetes.NamedFormat)
validate format-validate .kubernetes.NamedFormat;string -> optional(list(string))
semver string_to_semver string -> kubernetes.Semver
semver string_bool_to_semver string;bool -> kubernetes.Semver
isSemver is_semver_string string -> bool
isSemver is_semver_string_bool string;bool -> bool
isGreaterThan semver_is_greater_than .kubernetes.Semver;kubernetes.Semver -> bool
isLessThan semver_is_less_than .kubernetes.Semver;kubernetes.Semver -> bool
compareTo semver_compare_to .kubernetes.Semver;kubernetes.Semver -> int
major semver_major .kubernetes.Semver -> int
minor semver_minor .kubernetes.Semver -> int
patch semver_patch .kubernetes.Semver -> int
isSorted list_int_is_sorted_bool .list(int) -> bool
isSorted list_uint_is_sorted_bool .list(uint) -> bool
isSorted list_double_is_sorted_bool .list(double) -> bool
isSorted list_bool_is_sorted_bool .list(bool) -> bool
isSorted list_duration_is_sorted_bool .list(duration) -> bool
isSorted list_timestamp_is_sorted_bool .list(timestamp) -> bool
isSorted list_string_is_sorted_bool .list(string) -> bool
isSorted list_bytes_is_sorted_bool .list(bytes) -> bool
sum list_int_sum_int .list(int) -> int
sum list_uint_sum_uint .list(uint) -> uint
sum list_double_sum_double .list(double) -> double
sum list_duration_sum_duration .list(duration) -> duration
max list_int_max_int .list(int) -> int
max list_uint_max_uint .list(uint) -> uint
max list_double_max_double .list(double) -> double
max list_bool_max_bool .list(bool) -> bool
max list_duration_max_duration .list(duration) -> duration
max list_timestamp_max_timestamp .list(timestamp) -> timestamp
max list_string_max_string .list(string) -> string
max list_bytes_max_bytes .list(bytes) -> bytes
min list_int_min_int .list(int) -> int
min list_uint_min_uint .list(uint) -> uint
min list_double_min_double .list(double) -> double
min list_bool_min_bool .list(bool) -> bool
min list_duration_min_duration .list(duration) -> duration
min list_timestamp_min_timestamp .list(timestamp) -> timestamp
min list_string_min_string .list(string) -> string
min list_bytes_min_bytes .list(bytes) -> bytes
sort list_int_sort .list(int) -> list(int)
sort list_uint_sort .list(uint) -> list(uint)
sort list_double_sort .list(double) -> list(double)
sort list_bool_sort .list(bool) -> list(bool)
sort list_google.protobuf.Duration_sort .list(duration) -> list(duration)
sort list_google.protobuf.Timestamp_sort .list(timestamp) -> list(timestamp)
sort list_string_sort .list(string) -> list(string)
sort list_bytes_sort .list(bytes) -> list(bytes)
@sortByAssociatedKeys list_int_sortByAssociatedKeys .list(A);list(int) -> list(A)
@sortByAssociatedKeys list_uint_sortByAssociatedKeys .list(A);list(uint) -> list(A)
@sortByAssociatedKeys list_double_sortByAssociatedKeys .list(A);list(double) -> list(A)
@sortByAssociatedKeys list_bool_sortByAssociatedKeys .list(A);list(bool) -> list(A)
@sortByAssociatedKeys list_google.protobuf.Duration_sortByAssociatedKeys .list(A);list(duration) -> list(A)
@sortByAssociatedKeys list_google.protobuf.Timestamp_sortByAssociatedKeys .list(A);list(timestamp) -> list(A)
@sortByAssociatedKeys list_string_sortByAssociatedKeys .list(A);list(string) -> list(A)
@sortByAssociatedKeys list_bytes_sortByAssociatedKeys .list(A);list(bytes) -> list(A)
";

/// Functions without arguments that give a format.
pub(crate) const FORMATS: [&str; 13] = [
    "format.dns1123Label",
    "format.dns1123Subdomain",
    "format.dns1035Label",
    "format.qualifiedName",
    "format.dns1123LabelPrefix",
    "format.dns1123SubdomainPrefix",
    "format.dns1035LabelPrefix",
    "format.labelValue",
    "format.uri",
    "format.uuid",
    "format.byte",
    "format.date",
    "format.datetime",
];

type Table = HashMap<&'static str, Vec<Overload>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::new();
    for line in DECLARATIONS.lines().filter(|line| !line.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let (Some(function), Some(id), Some(signature)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Some((args, result)) = signature.split_once(" -> ") else {
            continue;
        };
        let member = args.starts_with('.');
        let args: Vec<Type> = if args == "-" {
            Vec::new()
        } else {
            args.trim_start_matches('.')
                .split(';')
                .map(read_type)
                .collect()
        };
        let parameters = ["A", "B"]
            .iter()
            .filter(|name| has_parameter(signature, name))
            .count() as u8;
        table.entry(function).or_default().push(Overload {
            id,
            member,
            args,
            result: read_type(result),
            parameters,
        });
    }
    for format in FORMATS {
        table.entry(format).or_default().push(Overload {
            id: format,
            member: false,
            args: Vec::new(),
            result: Type::library("kubernetes.NamedFormat"),
            parameters: 0,
        });
    }
    table
});

fn has_parameter(signature: &str, name: &str) -> bool {
    signature
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word == name)
}

fn read_type(text: &str) -> Type {
    if let Some((head, rest)) = text.split_once('(') {
        let inner = rest.strip_suffix(')').unwrap_or(rest);
        return match head {
            "list" => Type::list(read_type(inner)),
            "optional" => Type::optional(read_type(inner)),
            "type" => Type::Kind(Arc::new(read_type(inner))),
            _ => {
                let (key, value) = inner.split_once(',').unwrap_or((inner, "dyn"));
                Type::map(read_type(key), read_type(value))
            }
        };
    }
    match text {
        "A" => Type::Parameter(0),
        "B" => Type::Parameter(1),
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::Text,
        "bytes" => Type::Bytes,
        "duration" => Type::Duration,
        "timestamp" => Type::Timestamp,
        "net.IP" => Type::Opaque("net.IP", Arc::from([])),
        "net.CIDR" => Type::Opaque("net.CIDR", Arc::from([])),
        "dyn" => Type::Dyn,
        name => Type::library(name),
    }
}

/// The overloads of a function.
pub(crate) fn lookup(function: &str) -> Option<(&'static str, &'static [Overload])> {
    let (name, overloads) = TABLE.get_key_value(function)?;
    Some((name, overloads.as_slice()))
}

/// The type that a name such as `int` stands for.
pub(crate) fn named_type(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "bytes" => Type::Bytes,
        "double" => Type::Double,
        "google.protobuf.Duration" => Type::Duration,
        "int" => Type::Int,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "null_type" => Type::Null,
        "string" => Type::Text,
        "google.protobuf.Timestamp" => Type::Timestamp,
        "type" => Type::Kind(Arc::new(Type::Dyn)),
        "uint" => Type::Uint,
        "optional_type" => Type::optional(Type::Dyn),
        "net.IP" => Type::Opaque("net.IP", Arc::from([])),
        "net.CIDR" => Type::Opaque("net.CIDR", Arc::from([])),
        _ => return None,
    })
}
