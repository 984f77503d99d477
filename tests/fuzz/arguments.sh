# Sourced by the scripts of this folder behind cmake/bootstrap.sh: the fuzz targets, and how arguments are read.

fuzz_targets=(api checkpoint coco_json config_json embedding image_decode isam_fields isam_open isam_run logits_npy
  pickle prompt_json rle safetensors zip_directory)

# read_arguments OPTION PATTERN ARGUMENT...: the number behind OPTION, which matches PATTERN, into `number` if it is
# there, and all other words into `words`.
read_arguments() {
  local option=$1 pattern=$2
  shift 2
  words=()
  while [ $# -gt 0 ]; do
    case $1 in
      "$option")
        [[ ${2-} =~ ^($pattern)$ ]] || die "$option needs a number"
        number=$2
        shift
        ;;
      -*) die "unknown option: $1; see the head of tests/fuzz/$(basename "$0")" ;;
      *) words+=("$1") ;;
    esac
    shift
  done
}
