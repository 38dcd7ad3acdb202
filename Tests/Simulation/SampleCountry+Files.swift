import DeviceIdentity
import Glibc
package import RegistryFiles

/// What an importer must make of a file.
package struct ExpectedReading: Hashable, Sendable {
  package internal(set) var rowsKept = 0
  package internal(set) var refused: [RefusalCode: Int] = [:]

  package var rowsRead: Int { rowsKept + refused.values.reduce(0, +) }
}

/// How much was written.
package struct SampleFiles: Hashable, Sendable {
  package internal(set) var stolen = ExpectedReading()
  package internal(set) var dirty = ExpectedReading()
  package internal(set) var imeis = 0
  package internal(set) var subscribers = 0
}

extension SampleCountry {
  /// Writes `operators.csv`, `devices.csv`, `stolen.csv`, `stolen-dirty.csv` and `summary.json`
  /// into a folder, which is made if it is missing.
  package func write(to folder: String) throws(SimulationError) -> SampleFiles {
    guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
      throw SimulationError(.cannotWrite(path: folder, errno: errno))
    }
    var files = SampleFiles()
    try writeOperators(to: "\(folder)/operators.csv")
    try writeDevices(to: "\(folder)/devices.csv", &files)
    files.stolen = try writeStolen(to: "\(folder)/stolen.csv")
    files.dirty = try writeDirtyStolen(to: "\(folder)/stolen-dirty.csv")
    try writeSummary(to: "\(folder)/summary.json", files)
    return files
  }

  private func writeOperators(to path: String) throws(SimulationError) {
    var file = try OutputFile(path: path)
    file.bytes.append("code,name,plmn\n")
    for one in operators { file.bytes.append("\(one.code),\(one.name),\(one.plmn)\n") }
    try file.flush()
  }

  /// One line for each SIM card in use.
  private func writeDevices(
    to path: String, _ files: inout SampleFiles
  ) throws(SimulationError) {
    var file = try OutputFile(path: path)
    let codes = operators.map { ",\($0.code)," }
    file.bytes.append("imei,imsi,msisdn,operator,device\n")
    for number in 0..<deviceCount {
      let device = device(number)
      files.imeis += device.imeis.count
      files.subscribers += device.subscribers.count
      for (imei, subscriber) in zip(device.imeis, device.subscribers) {
        file.bytes.append(imei)
        file.bytes.append(",")
        file.bytes.appendIMSI(of: subscriber)
        file.bytes.append(",")
        file.bytes.appendMSISDN(of: subscriber)
        file.bytes.append(codes[subscriber.operatorIndex])
        file.bytes.append(String(number))
        file.bytes.append("\n")
      }
      try file.lineEnded()
    }
    try file.flush()
  }

  private func writeStolen(to path: String) throws(SimulationError) -> ExpectedReading {
    var file = try OutputFile(path: path)
    var expected = ExpectedReading()
    file.bytes.append("imei,reporting_date,status,case_reference\n")
    for index in 0..<stolenDeviceCount {
      for report in reports(index) {
        file.bytes.append(report)
        file.bytes.append("\n")
        expected.rowsKept += 1
      }
      try file.lineEnded()
    }
    try file.flush()
    return expected
  }
}
