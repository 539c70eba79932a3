/**
 * PostgreSQL's own functions, and types with a length, that answer the same for the same arguments and read no table.
 * One that is missing here only keeps what calls it from being kept.
 */
export const pureFunctions: ReadonlySet<string> = new Set(
  `
  array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg json_object_agg
  jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc range_agg regr_slope stddev stddev_pop
  stddev_samp string_agg sum var_pop var_samp variance any_value grouping

  cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number

  coalesce greatest least nullif num_nonnulls num_nulls cast

  abs cbrt ceil ceiling degrees div exp factorial floor gcd lcm ln log log10 mod pi power radians round scale sign sqrt
  trim_scale trunc width_bucket acos asin atan atan2 cos cot sin tan

  ascii bit_length btrim char_length character_length chr concat concat_ws convert_from convert_to decode encode format
  initcap left length lower lpad ltrim md5 normalize octet_length overlay position quote_ident quote_literal
  quote_nullable regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
  regexp_split_to_table regexp_substr repeat replace reverse right rpad rtrim sha224 sha256 sha384 sha512 split_part
  starts_with string_to_array string_to_table strpos substr substring to_ascii to_hex translate trim upper

  date date_add date_bin date_part date_subtract date_trunc extract isfinite justify_days justify_hours justify_interval
  make_date make_interval make_time make_timestamp make_timestamptz to_char to_date to_number to_timestamp timezone

  array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
  array_prepend array_remove array_replace array_to_string array_upper cardinality generate_series generate_subscripts
  trim_array unnest

  array_to_json json_array json_array_elements json_array_elements_text json_array_length json_build_array
  json_build_object json_each json_each_text json_extract_path json_extract_path_text json_object json_object_keys
  json_strip_nulls json_typeof jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
  jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object
  jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first
  jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_typeof row_to_json to_json to_jsonb

  isempty lower_inc lower_inf range_merge upper_inc upper_inf daterange int4range int8range numrange tsrange tstzrange

  numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector ts_headline ts_rank
  ts_rank_cd tsvector_to_array websearch_to_tsquery

  bit bpchar char character decimal float interval numeric time timestamp timestamptz timetz varchar varying
  `
    .trim()
    .split(/\s+/),
)
