import DeviceIdentity
import DeviceLists
import RegistryFiles

extension SampleCountry {
  func writeSummary(to path: String, _ files: SampleFiles) throws(SimulationError) {
    var file = try OutputFile(path: path)
    let refused = files.dirty.refused.sorted { $0.key < $1.key }
    let refusedText = refused.map { "      \"\($0.key)\": \($0.value)" }
    file.bytes.append(
      """
      {
        "seed": \(seed),
        "asOf": "\(asOf)",
        "types": \(types.count),
        "devices": \(deviceCount),
        "imeis": \(files.imeis),
        "subscribers": \(files.subscribers),
        "stolenDevices": \(stolenDeviceCount),
        "stolen": { "rows": \(files.stolen.rowsRead), "kept": \(files.stolen.rowsKept) },
        "stolenDirty": {
          "rows": \(files.dirty.rowsRead),
          "kept": \(files.dirty.rowsKept),
          "refused": {
      \(refusedText.joined(separator: ",\n"))
          }
        },
        "examples": {
          "stolenOfAlfa": \(example(isStolen: true, operatorIndex: 0)),
          "stolenOfBeta": \(example(isStolen: true, operatorIndex: 1)),
          "neverReported": \(example(isStolen: false, operatorIndex: 0))
        }
      }

      """)
    try file.flush()
  }

  /// The first device of its sort whose first SIM card is of the operator; null if there is none.
  private func example(isStolen: Bool, operatorIndex: Int) -> String {
    let range = isStolen ? 0..<stolenDeviceCount : stolenDeviceCount..<deviceCount
    for index in range {
      let device = device(reportedDevice(index))
      let subscriber = device.subscribers[0]
      guard subscriber.operatorIndex == operatorIndex else { continue }
      let caseReference = isStolen ? reports(index)[0].caseReference : ""
      return """
        {
              "imei": "\(device.imeis[0].dialled)",
              "imsi": "\(subscriber.imsiDigits)",
              "msisdn": "\(subscriber.msisdnDigits)",
              "operator": "\(operators[operatorIndex].code)",
              "caseReference": "\(caseReference)"
            }
        """
    }
    return "null"
  }
}
