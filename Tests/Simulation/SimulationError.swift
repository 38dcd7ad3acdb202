import Glibc

/// Why a sample country cannot be made.
package struct SimulationError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Code: Hashable, Sendable {
    case tooFewDevices
    case reportsOutOfRange(limit: Int)
    case plantedOutOfRange(kind: String, limit: Int)
    /// A type has a million serials, and a type with two slots needs two for each device.
    case tooFewTypes(devices: Int)
    case cannotWrite(path: String, errno: Int32)
    /// A constant of ours is not what it should be.
    case badConstant(String)
  }

  package let code: Code

  package init(_ code: Code) { self.code = code }

  package var description: String {
    switch code {
    case .tooFewDevices: "a country needs at least 2 devices"
    case .reportsOutOfRange(let limit):
      "the number of stolen devices must lie between 1 and \(limit): some are never reported"
    case .plantedOutOfRange(let kind, let limit):
      "the number of \(kind) must lie between 0 and \(limit)"
    case .tooFewTypes(let devices):
      "the list holds too few types for \(devices) devices: a type has a million serial numbers"
    case .cannotWrite(let path, let errno):
      "\(path) cannot be written: \(String(cString: strerror(errno)))"
    case .badConstant(let text): "\(text) is not what it should be"
    }
  }
}
