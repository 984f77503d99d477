// The opcodes of pickle protocols 0 to 5: the ones that the machine executes as constants, and all names for messages.
// Source: Lib/pickletools.py of CPython (names and codes).
#ifndef INTSAM_CONVERTER_CHECKPOINT_PICKLE_OPCODES_H_
#define INTSAM_CONVERTER_CHECKPOINT_PICKLE_OPCODES_H_

#include <cstdint>

namespace intsam::internal::opcode {

constexpr uint8_t kMark = '(', kStop = '.', kBinFloat = 'G', kBinInt = 'J', kBinInt1 = 'K', kBinInt2 = 'M', kNone = 'N';
constexpr uint8_t kBinPersId = 'Q', kReduce = 'R', kBinUnicode = 'X', kAppend = 'a', kBuild = 'b', kGlobal = 'c';
constexpr uint8_t kEmptyDict = '}', kAppends = 'e', kBinGet = 'h', kLongBinGet = 'j', kEmptyList = ']', kBinPut = 'q';
constexpr uint8_t kLongBinPut = 'r', kSetItem = 's', kTuple = 't', kEmptyTuple = ')', kSetItems = 'u', kProto = 0x80;
constexpr uint8_t kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87, kNewTrue = 0x88, kNewFalse = 0x89, kLong1 = 0x8a;
constexpr uint8_t kBinBytes = 'B', kShortBinBytes = 'C', kNewObj = 0x81;
// Of protocol 4.
constexpr uint8_t kShortBinUnicode = 0x8c, kEmptySet = 0x8f, kAddItems = 0x90, kFrozenSet = 0x91, kStackGlobal = 0x93;
constexpr uint8_t kMemoize = 0x94, kFrame = 0x95;

inline const char* NameOf(uint8_t code) {
  switch (code) {
    case kMark: return "MARK";
    case kStop: return "STOP";
    case kBinFloat: return "BINFLOAT";
    case kBinInt: return "BININT";
    case kBinInt1: return "BININT1";
    case kBinInt2: return "BININT2";
    case kNone: return "NONE";
    case kBinPersId: return "BINPERSID";
    case kReduce: return "REDUCE";
    case kBinUnicode: return "BINUNICODE";
    case kAppend: return "APPEND";
    case kBuild: return "BUILD";
    case kGlobal: return "GLOBAL";
    case kEmptyDict: return "EMPTY_DICT";
    case kAppends: return "APPENDS";
    case kBinGet: return "BINGET";
    case kLongBinGet: return "LONG_BINGET";
    case kEmptyList: return "EMPTY_LIST";
    case kBinPut: return "BINPUT";
    case kLongBinPut: return "LONG_BINPUT";
    case kSetItem: return "SETITEM";
    case kTuple: return "TUPLE";
    case kEmptyTuple: return "EMPTY_TUPLE";
    case kSetItems: return "SETITEMS";
    case kProto: return "PROTO";
    case kTuple1: return "TUPLE1";
    case kTuple2: return "TUPLE2";
    case kTuple3: return "TUPLE3";
    case kNewTrue: return "NEWTRUE";
    case kNewFalse: return "NEWFALSE";
    case kLong1: return "LONG1";
    case kBinBytes: return "BINBYTES";
    case kShortBinBytes: return "SHORT_BINBYTES";
    case kNewObj: return "NEWOBJ";
    case kShortBinUnicode: return "SHORT_BINUNICODE";
    case kEmptySet: return "EMPTY_SET";
    case kAddItems: return "ADDITEMS";
    case kFrozenSet: return "FROZENSET";
    case kStackGlobal: return "STACK_GLOBAL";
    case kMemoize: return "MEMOIZE";
    case kFrame: return "FRAME";
    case '0': return "POP";
    case '1': return "POP_MARK";
    case '2': return "DUP";
    case 'F': return "FLOAT";
    case 'I': return "INT";
    case 'L': return "LONG";
    case 'P': return "PERSID";
    case 'S': return "STRING";
    case 'T': return "BINSTRING";
    case 'U': return "SHORT_BINSTRING";
    case 'V': return "UNICODE";
    case 'd': return "DICT";
    case 'g': return "GET";
    case 'i': return "INST";
    case 'l': return "LIST";
    case 'o': return "OBJ";
    case 'p': return "PUT";
    case 0x82: return "EXT1";
    case 0x83: return "EXT2";
    case 0x84: return "EXT4";
    case 0x8b: return "LONG4";
    case 0x8d: return "BINUNICODE8";
    case 0x8e: return "BINBYTES8";
    case 0x92: return "NEWOBJ_EX";
    case 0x96: return "BYTEARRAY8";
    case 0x97: return "NEXT_BUFFER";
    case 0x98: return "READONLY_BUFFER";
    default: return "unknown";
  }
}

}  // namespace intsam::internal::opcode

#endif  // INTSAM_CONVERTER_CHECKPOINT_PICKLE_OPCODES_H_
